package slack

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// socket is one that the app has open.
type socket struct {
	mu   sync.Mutex // of writing
	conn *websocket.Conn
}

func (k *socket) send(v any) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conn.WriteJSON(v)
}

// open is Socket Mode: a greeting, pings, and acknowledgements back.
func (s *Server) open(w http.ResponseWriter, r *http.Request) {
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	k := &socket{conn: conn}
	if k.send(object{"type": "hello", "num_connections": 1, "connection_info": object{"app_id": App}}) != nil {
		return
	}
	s.mu.Lock()
	s.sockets = append(s.sockets, k)
	s.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			k.mu.Lock()
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
			k.mu.Unlock()
			select {
			case <-gone:
				return
			case <-s.done:
				return
			case <-tick.C:
			}
		}
	}()
	for {
		var ack struct {
			ID      string          `json:"envelope_id"`
			Payload json.RawMessage `json:"payload"`
		}
		if conn.ReadJSON(&ack) != nil {
			break
		}
		s.mu.Lock()
		if c := s.acks[ack.ID]; c != nil {
			c <- string(ack.Payload)
			delete(s.acks, ack.ID)
		}
		s.mu.Unlock()
	}
	close(gone)
	conn.Close()
	s.mu.Lock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == k })
	s.mu.Unlock()
}

// Sockets is how many are open.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

func (s *Server) connected() bool { return s.Sockets() > 0 }

// Refresh asks the app to open a socket anew, as Slack does every few hours.
func (s *Server) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sockets) > 0 {
		_ = s.sockets[0].send(object{"type": "disconnect", "reason": "refresh_requested"})
	}
}

// DropSockets ends all at once, as a network does.
func (s *Server) DropSockets() {
	s.mu.Lock()
	all := slices.Clone(s.sockets)
	s.mu.Unlock()
	for _, k := range all {
		_ = k.conn.Close()
	}
}

// envelope sends something over one of the sockets and waits for its
// acknowledgement.
func (s *Server) envelope(kind string, payload any, retry int) Answer {
	s.mu.Lock()
	if len(s.sockets) == 0 {
		s.mu.Unlock()
		return Answer{}
	}
	s.serial++
	id := "envelope-" + strconv.Itoa(s.serial)
	k := s.sockets[s.serial%len(s.sockets)]
	back := make(chan string, 1)
	s.acks[id] = back
	s.mu.Unlock()
	began := time.Now()
	if k.send(object{"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": kind != "events_api", "retry_attempt": retry}) != nil {
		return Answer{}
	}
	select {
	case body := <-back:
		return Answer{http.StatusOK, body, time.Since(began)}
	case <-time.After(s.o.Patience + time.Second):
		return Answer{Took: time.Since(began)}
	}
}
