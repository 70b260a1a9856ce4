package backlog

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// File is one that was sent to the space, and of an issue once it was given to it.
type File struct {
	ID, Author int
	Name       string
	Text       []byte
	Sent       time.Time
}

// maxAge is how long a file is kept that is on no issue.
// https://developer.nulab.com/docs/backlog/api/2/post-attachment-file/
const maxAge = time.Hour

// take keeps the one file of a form, whose part has the name that Backlog wants.
func (s *Server) take(r *http.Request) (any, int, *refusal) {
	switch s.NoFiles {
	case 0:
	case http.StatusRequestEntityTooLarge:
		return nil, 0, &refusal{s.NoFiles, 10, "File size is too large."}
	default:
		return nil, 0, &refusal{s.NoFiles, 4, "You don't have access."}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" || r.ParseMultipartForm(1<<20) != nil {
		return nil, 0, invalid("body")
	}
	parts := r.MultipartForm.File["file"]
	if len(parts) != 1 || len(r.MultipartForm.Value) > 0 {
		return nil, 0, invalid("file")
	}
	from, err := parts[0].Open()
	if err != nil {
		return nil, 0, invalid("file")
	}
	defer from.Close()
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, 0, invalid("file")
	}
	s.next++
	f := &File{ID: s.next, Author: Bot, Name: parts[0].Filename, Text: text, Sent: s.Now()}
	if s.sent == nil {
		s.sent = map[int]*File{}
	}
	s.sent[f.ID] = f
	return f.tell(), http.StatusOK, nil
}

// mayGive says whether all these were sent, lately, and are on no issue.
func (s *Server) mayGive(ids []string) bool {
	for _, v := range ids {
		n, err := strconv.Atoi(v)
		if f := s.sent[n]; err != nil || f == nil || s.Now().Sub(f.Sent) >= maxAge {
			return false
		}
	}
	return true
}

// give moves files to an issue, and notes it as Backlog does.
func (s *Server) give(i *Issue, ids []string) {
	var log []object
	for _, v := range ids {
		n, _ := strconv.Atoi(v) // mayGive read it
		f := s.sent[n]
		delete(s.sent, n)
		i.Files = append(i.Files, f)
		log = append(log, object{"field": "attachment", "originalValue": "", "newValue": f.Name, "attachmentInfo": object{"id": f.ID, "name": f.Name}})
	}
	if len(log) > 0 {
		s.say(i, Bot, "", log)
	}
}

func (f *File) tell() object { return object{"id": f.ID, "name": f.Name, "size": len(f.Text)} }

// files are those of an issue; whole as their own list tells them, with whose
// they are.
func (s *Server) files(i *Issue, whole bool) []any {
	all := []any{}
	for _, f := range i.Files {
		o := f.tell()
		if whole {
			o["createdUser"], o["created"] = s.user(f.Author), stamp(f.Sent)
		}
		all = append(all, o)
	}
	return all
}
