package demo

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// controlFile is DIR/control.json, by which shopctl finds the supervisor. Only
// the user who runs the supervisor can read it, and its token is what lets a
// caller in. A loopback port and a token are used because the path of a Unix
// socket may have no more than about 100 bytes, and data directories have more.
type controlFile struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	Shop  string `json:"shop"` // the shop's own URL
}

// A controlServer lets shopctl, a program of its own, ask for a restart.
type controlServer struct {
	srv  *http.Server
	done chan struct{}
}

// shopStatus is the answer to GET /status.
type shopStatus struct {
	PID      int       `json:"pid"` // 0: no process
	Started  time.Time `json:"started"`
	Restarts int       `json:"restarts"`
	URL      string    `json:"url"`
	Health   *Health   `json:"health,omitempty"` // nil: it does not answer
	Error    string    `json:"error,omitempty"`
}

func serveControl(s *Shop) (*controlServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for shopctl: %w", err)
	}
	file := controlFile{URL: "http://" + l.Addr().String(), Token: rand.Text(), Shop: s.URL()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, s.status(r.Context()))
	})
	mux.HandleFunc("POST /restart", func(w http.ResponseWriter, r *http.Request) {
		// A caller that goes away must not leave the shop half restarted.
		done, err := s.Restart(context.WithoutCancel(r.Context()))
		if err != nil {
			answer(w, http.StatusInternalServerError, problem(err.Error()))
			return
		}
		answer(w, http.StatusOK, done)
	})
	c := &controlServer{
		srv:  &http.Server{Handler: onlyWith(file.Token, mux), ReadHeaderTimeout: 5 * time.Second},
		done: make(chan struct{}),
	}
	go func() {
		_ = c.srv.Serve(l) // ends with close
		close(c.done)
	}()
	raw, err := json.Marshal(file)
	if err == nil {
		err = writeFile(s.o.Dir, controlName, raw)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tell shopctl where to ask: %w", err), c.close())
	}
	return c, nil
}

func (c *controlServer) close() error {
	err := c.srv.Close()
	<-c.done
	return err
}

func onlyWith(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
			answer(w, http.StatusUnauthorized, problem("wrong token"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Shop) status(ctx context.Context) shopStatus {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	st := shopStatus{PID: s.Pid(), Restarts: s.Restarts(), URL: s.URL()}
	if st.PID == 0 {
		st.Error = "there is no process"
		return st
	}
	st.Started = s.current().started
	h, err := s.Health(ctx)
	if err != nil {
		st.Error = err.Error()
		return st
	}
	st.Health = &h
	return st
}

// readControl finds the supervisor of the shop in dir.
func readControl(dir string) (controlFile, error) {
	var c controlFile
	raw, err := os.ReadFile(filepath.Join(dir, controlName))
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return c, fmt.Errorf("no shop is supervised in %s (is `hikeshi demo` running?): %w", dir, err)
	}
	return c, nil
}

func (c controlFile) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return c.ask(ctx, http.MethodGet, "/status", nil) == nil
}

// ask does one exchange with the supervisor and decodes its answer.
func (c controlFile) ask(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, nil)
	if err != nil {
		return fmt.Errorf("ask the supervisor: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the supervisor: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("ask the supervisor: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the supervisor answered %d: %s", resp.StatusCode, strings.TrimSpace(string(raw)))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read the supervisor's answer: %w", err)
	}
	return nil
}

// writeFile replaces a file of the shop's directory in one step.
func writeFile(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, "."+name+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func removeFile(dir, name string) error {
	if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
