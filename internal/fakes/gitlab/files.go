package gitlab

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// upload keeps the one file of a form, whose part has the name that GitLab wants.
// https://docs.gitlab.com/api/project_markdown_uploads/
func (s *Server) upload(r *http.Request) (any, int, *refusal) {
	switch s.NoFiles {
	case 0:
	case http.StatusRequestEntityTooLarge:
		return nil, 0, &refusal{s.NoFiles, "413 Request Entity Too Large"}
	default:
		return nil, 0, &refusal{s.NoFiles, fmt.Sprint(s.NoFiles, " ", http.StatusText(s.NoFiles))}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || r.ParseMultipartForm(1<<20) != nil {
		return nil, 0, &refusal{400, "file is invalid"}
	}
	parts := r.MultipartForm.File["file"]
	if len(parts) != 1 {
		return nil, 0, &refusal{400, "file is missing"}
	}
	from, err := parts[0].Open()
	if err != nil {
		return nil, 0, &refusal{400, "file is invalid"}
	}
	defer from.Close()
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, 0, &refusal{400, "file is invalid"}
	}
	s.next++
	name := parts[0].Filename
	address := fmt.Sprintf("/uploads/%032x/%s", s.next, name)
	s.Uploads[address] = string(text)
	alt := name
	if at := strings.LastIndexByte(name, '.'); at > 0 {
		alt = name[:at]
	}
	return object{"id": s.next, "alt": alt, "url": address, "full_path": "/-/project/5" + address, "markdown": "[" + name + "](" + address + ")"}, http.StatusCreated, nil
}
