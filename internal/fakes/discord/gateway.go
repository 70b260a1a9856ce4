package discord

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// session is one that a client may come back to.
type session struct {
	id      string
	intents int64
	conn    *websocket.Conn // nil: it is not here
	write   sync.Mutex
	seq     int64
	events  []object // for those who come back
}

func (s *Server) socket() string {
	return "ws" + strings.TrimPrefix(strings.TrimSuffix(s.URL, "/api/v10"), "http") + "/ws"
}

// intents that an application must be allowed to have, and what needs which.
const (
	messageContent int64 = 1 << 15
	guildMessages  int64 = 1 << 9
	reactions      int64 = 1 << 10
)

// gateway is one connection.
// https://docs.discord.com/developers/events/gateway
func (s *Server) gateway(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.WriteJSON(object{"op": 10, "d": object{"heartbeat_interval": 2000}}) != nil {
		return
	}
	var mine *session
	defer func() { s.leave(mine, conn) }()
	for {
		var in struct {
			Op int
			D  any
		}
		if err := conn.ReadJSON(&in); err != nil {
			return
		}
		switch in.Op {
		case 1:
			if mine != nil {
				mine.send(conn, object{"op": 11})
			} else {
				_ = conn.WriteJSON(object{"op": 11})
			}
		case 2:
			if mine = s.identify(conn, in.D.(object)); mine == nil {
				return
			}
		case 6:
			mine = s.resume(conn, in.D.(object))
		default:
			s.wrong("the gateway is sent op %d", in.Op)
		}
	}
}

func shut(conn *websocket.Conn, code int, why string) {
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(time.Second))
}

func (s *Server) identify(conn *websocket.Conn, d object) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	intents := int64(d["intents"].(float64))
	if strings.TrimPrefix(text(d["token"]), "Bot ") != s.token {
		shut(conn, 4004, "Authentication failed.")
		return nil
	}
	if intents&^s.Intents != 0 {
		shut(conn, 4014, "Disallowed intent(s).")
		return nil
	}
	s.counts["identify"]++
	x := &session{id: "session-" + s.id(), intents: intents, conn: conn}
	s.sessions[x.id] = x
	s.give(x, "READY", object{"v": 9, "user": me(), "session_id": x.id, "resume_gateway_url": s.socket(), "guilds": []any{object{"id": Guild, "unavailable": true}}, "application": object{"id": App, "flags": 0}})
	s.give(x, "GUILD_CREATE", s.guild())
	s.touch()
	return x
}

func (s *Server) resume(conn *websocket.Conn, d object) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[text(d["session_id"])]
	if x == nil {
		s.counts["invalid session"]++
		_ = conn.WriteJSON(object{"op": 9, "d": false})
		return nil
	}
	s.counts["resume"]++
	x.conn = conn
	seen := int64(d["seq"].(float64))
	for _, e := range x.events {
		if e["s"].(int64) > seen {
			x.send(conn, e)
		}
	}
	s.give(x, "RESUMED", object{})
	s.touch()
	return x
}

func (s *Server) leave(x *session, conn *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x != nil && x.conn == conn {
		x.conn = nil
	}
	s.touch()
}

func (x *session) send(conn *websocket.Conn, e object) {
	x.write.Lock()
	defer x.write.Unlock()
	_ = conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_ = conn.WriteJSON(e)
}

// give tells a session an event; s.mu is held.
func (s *Server) give(x *session, name string, d object) {
	x.seq++
	e := object{"op": 0, "t": name, "s": x.seq, "d": d}
	x.events = append(x.events, e)
	if x.conn != nil {
		x.send(x.conn, e)
	}
}

// dispatch tells everybody who wants to know; s.mu is held.
func (s *Server) dispatch(name string, d object) {
	need := map[string]int64{"MESSAGE_CREATE": guildMessages, "MESSAGE_UPDATE": guildMessages, "MESSAGE_DELETE": guildMessages, "MESSAGE_REACTION_ADD": reactions, "MESSAGE_REACTION_REMOVE": reactions}[name]
	for _, x := range s.sessions {
		if x.intents&need != need {
			continue
		}
		out := d
		if x.intents&messageContent == 0 && strings.HasPrefix(name, "MESSAGE_") && d["content"] != nil && text(d["author"].(object)["id"]) != Bot {
			out = withGuild(d)
			out["content"] = ""
		}
		s.give(x, name, out)
	}
}

// Offer delivers an interaction by the gateway.
func (s *Server) Offer(i *Interaction) {
	var d object
	if err := decode(i.Body, &d); err != nil {
		panic("decode an interaction: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch("INTERACTION_CREATE", d)
}

// Say is somebody who says something.
func (s *Server) Say(by Person, channelID, content string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.stand(s.channel(channelID), user(by.ID, by.Name, by.Bot), object{"content": content}, nil)
	s.dispatch("MESSAGE_CREATE", spoken(by, m))
	return m.id()
}

// SayAgain tells of a message once more, as it stands.
func (s *Server) SayAgain(by Person, channelID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch("MESSAGE_CREATE", spoken(by, s.channel(channelID).message(id)))
}

func spoken(by Person, m *message) object {
	out := withGuild(m.object)
	if by.Guild != "" {
		out["guild_id"] = by.Guild
	}
	out["member"] = by.member()
	return out
}

// Rewrite is somebody who edits what they said.
func (s *Server) Rewrite(by Person, channelID, id, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.channel(channelID).message(id)
	m.object["content"], m.object["edited_timestamp"] = content, time.Now().UTC().Format(time.RFC3339Nano)
	s.dispatch("MESSAGE_UPDATE", spoken(by, m))
}

// TakeBack is somebody who deletes what they said.
func (s *Server) TakeBack(channelID, id string) {
	s.DeleteMessage(channelID, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch("MESSAGE_DELETE", object{"id": id, "channel_id": channelID, "guild_id": Guild})
}

// React is somebody who puts an emoji on a message, or takes it away.
func (s *Server) React(by Person, channelID, id, emoji string, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := object{"user_id": by.ID, "channel_id": channelID, "message_id": id, "guild_id": Guild, "emoji": object{"id": nil, "name": emoji}, "burst": false, "type": 0}
	name := "MESSAGE_REACTION_REMOVE"
	if !taken {
		name = "MESSAGE_REACTION_ADD"
		d["member"] = by.member()
	}
	s.dispatch(name, d)
}

// Connected is how many sessions are here.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, x := range s.sessions {
		if x.conn != nil {
			n++
		}
	}
	return n
}

// Drop ends all connections without a word.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each(func(x *session) { _ = x.conn.UnderlyingConn().Close() })
}

// Reconnect asks everybody to come back.
func (s *Server) Reconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each(func(x *session) { x.send(x.conn, object{"op": 7, "d": nil}) })
}

// Invalidate forgets all sessions, and ends their connections.
func (s *Server) Invalidate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each(func(x *session) { _ = x.conn.UnderlyingConn().Close() })
	clear(s.sessions)
}

func (s *Server) each(do func(x *session)) {
	for _, x := range s.sessions {
		if x.conn != nil {
			do(x)
		}
	}
}

func (s *Server) hangUp() { s.Drop() }
