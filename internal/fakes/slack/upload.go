package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// upload is a file on its way: asked for, sent, completed, in this order, each
// once (https://docs.slack.dev/messaging/working-with-files#upload).
type upload struct {
	name, alt string
	length    int
	content   []byte // nil: not sent yet
}

// getUploadURL answers files.getUploadURLExternal; s.mu is held.
func (s *Server) getUploadURL(a map[string]string) object {
	n, err := strconv.Atoi(a["length"])
	switch {
	case err != nil || n <= 0:
		return no("missing_argument")
	case size(a["alt_txt"]) > 1000:
		return no("alt_txt_too_large")
	}
	s.serial++
	id := fmt.Sprintf("F%06d", s.serial)
	s.uploads[id] = &upload{name: a["filename"], alt: a["alt_txt"], length: n}
	return object{"ok": true, "file_id": id, "upload_url": strings.TrimSuffix(s.URL, "api/") + "upload/" + id}
}

// sent takes a file's content. It must be as long as was said, and a picture
// must be one.
func (s *Server) sent(w http.ResponseWriter, r *http.Request) {
	const where = "files.upload"
	lie := s.nextLie(where)
	if lie.before(w) {
		return
	}
	f, _, err := r.FormFile("file")
	if err != nil {
		s.wrong(where, "%v", err)
		http.Error(w, "no file", http.StatusBadRequest)
		return
	}
	content, _ := io.ReadAll(f)
	s.mu.Lock()
	u := s.uploads[r.PathValue("id")]
	s.count[where]++
	switch {
	case u == nil:
		s.wrong(where, "nobody asked for the address of %s", r.PathValue("id"))
	case len(content) != u.length:
		s.wrong(where, "%s has %d bytes, and was said to have %d", u.name, len(content), u.length)
	case strings.HasSuffix(u.name, ".png"):
		if _, err := png.Decode(bytes.NewReader(content)); err != nil {
			s.wrong(where, "%s is no picture: %v", u.name, err)
		} else if u.alt == "" {
			s.wrong(where, "nobody who cannot see %s knows what it shows", u.name)
		}
	}
	if u != nil {
		u.content = content
	}
	s.mu.Unlock()
	if lie.afterwards(s, w, r) {
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "OK - %d", len(content))
}

// complete shows a file in the channel; s.mu is held.
func (s *Server) complete(r *Room, a map[string]string) object {
	var files []struct{ ID, Title string }
	if err := json.Unmarshal([]byte(a["files"]), &files); err != nil || len(files) != 1 {
		return no("file_not_found")
	}
	u := s.uploads[files[0].ID]
	if u == nil || u.content == nil {
		return no("file_not_found")
	}
	if a["thread_ts"] != "" && r.message(a["thread_ts"]) == nil {
		s.wrong("files.completeUploadExternal", "no message %s to reply to", a["thread_ts"])
	}
	delete(s.uploads, files[0].ID)
	r.Messages = append(r.Messages, Message{TS: s.ts(), User: BotUser, Bot: true, Thread: a["thread_ts"], File: u.name, Title: files[0].Title, Alt: u.alt, Text: string(u.content), At: s.o.Now()})
	return object{"ok": true, "files": []object{{"id": files[0].ID, "title": files[0].Title}}}
}
