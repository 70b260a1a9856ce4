package jira

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// attach takes one file, as a form that says that no page made a browser send it.
func (s *Server) attach(r *http.Request, path string, body []byte) (any, int, *refusal) {
	key, _ := strings.CutPrefix(strings.TrimSuffix(path, "/attachments"), "issue/")
	i := s.find(key)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		return nil, 0, deny(405, "Method Not Allowed")
	case r.Header.Get("X-Atlassian-Token") != "no-check":
		return nil, 0, deny(403, "XSRF check failed")
	case i == nil:
		return nil, 0, deny(404, "Issue does not exist or you do not have permission to see it.")
	case s.NoFiles != 0:
		return nil, 0, deny(s.NoFiles, "You do not have permission to create attachments for this issue.")
	case err != nil || kind != "multipart/form-data":
		return nil, 0, deny(415, "Unsupported Media Type")
	}
	var took []File
	for parts := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		p, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil || p.FormName() != "file" || p.FileName() == "" {
			return nil, 0, deny(400, "the form has something that is no file")
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return nil, 0, deny(400, "the form ends too early")
		}
		s.next++
		took = append(took, File{ID: strconv.Itoa(s.next), Name: p.FileName(), Author: Bot, Text: text, Created: s.Now()})
	}
	if len(took) == 0 {
		return nil, 0, deny(400, "the form has no file")
	}
	i.Files = append(i.Files, took...)
	s.counts["written"]++
	s.changed(i, Bot, "Attachment", "", took[0].Name)
	return s.files(took), 200, nil
}

func (s *Server) files(all []File) []any {
	var out []any
	for _, f := range all {
		at := api + "attachment/"
		out = append(out, object{
			"id": f.ID, "self": at + f.ID, "filename": f.Name, "author": s.user(f.Author), "created": stamp(f.Created),
			"size": len(f.Text), "mimeType": "text/markdown", "content": at + "content/" + f.ID,
		})
	}
	return out
}
