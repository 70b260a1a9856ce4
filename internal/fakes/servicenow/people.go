package servicenow

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// columns are what can be written, and how many characters are kept.
var columns = map[string]int{
	"short_description": 160, "description": 4000, "state": 40, "impact": 40, "urgency": 40, "assigned_to": 32, "correlation_id": 100,
	"correlation_display": 100, "close_code": 40, "close_notes": 4000, "work_notes": 4000 * 4, "caller_id": 32, "category": 40, "parent": 32,
}

func (s *Server) read(r *http.Request) (map[string]string, *refusal) {
	var in map[string]string
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&in) != nil {
		return nil, &refusal{400, "Exception while reading request", "The payload is not valid JSON"}
	}
	for name, v := range in {
		most, known := columns[name]
		if !known {
			s.wrong("no such column: %s", name)
			delete(in, name) // it is left out without a word
			continue
		}
		if utf8.RuneCountInString(v) > most {
			s.wrong("%s is cut at %d characters", name, most)
			in[name] = string([]rune(v)[:most])
		}
		if low := strings.ToLower(v); name == "work_notes" && (strings.Contains(low, "[code]") || strings.Contains(v, "@[")) {
			s.wrong("a work note has markup that acts: %.200q", v)
		}
	}
	return in, nil
}

func (s *Server) create(r *http.Request) (any, int, *refusal) {
	in, no := s.read(r)
	if no != nil {
		return nil, 0, no
	}
	if at := in["parent"]; at != "" && !slices.ContainsFunc(s.records, func(o *Record) bool { return o.Columns["sys_id"] == at }) {
		s.wrong("the parent %q is no record", at)
	}
	s.next++
	rec := &Record{made: s.Now(), Columns: map[string]string{
		"state": "1", "impact": "3", "urgency": "3", "sys_created_by": names[Bot], "sys_created_on": s.stamp(),
		"sys_id": fmt.Sprintf("%032x", s.next), "number": fmt.Sprintf("INC%07d", 10000+len(s.records)+1),
	}}
	s.records = append(s.records, rec)
	maps.Copy(rec.Columns, in)
	s.touch(rec)
	return s.show(asObject(rec.Columns), r), http.StatusCreated, nil
}

func (s *Server) patch(rec *Record, r *http.Request) (any, int, *refusal) {
	in, no := s.read(r)
	if no != nil {
		return nil, 0, no
	}
	if in["state"] == "6" && (in["close_code"] == "" || in["close_notes"] == "") {
		return nil, 0, &refusal{403, "Operation Failed", "Data Policy Exception: The following fields are mandatory: Close code, Close notes"}
	}
	if id := in["assigned_to"]; id != "" && names[id] == "" {
		return nil, 0, &refusal{400, "Invalid reference", "assigned_to"}
	}
	for _, name := range []string{"state", "impact", "urgency", "assigned_to"} {
		if _, wrote := in[name]; wrote {
			s.ours++
			break
		}
	}
	s.change(rec, Bot, in)
	return s.show(asObject(rec.Columns), r), http.StatusOK, nil
}

// change writes columns in somebody's name, with what the audit and the journal
// keep of it.
func (s *Server) change(rec *Record, who string, in map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v := in[name]
		if name == "work_notes" {
			s.next++
			s.journal = append(s.journal, object{
				"sys_id": fmt.Sprintf("%032x", s.next), "name": Table, "element": name, "element_id": rec.Columns["sys_id"],
				"value": v, "sys_created_by": names[who], "sys_created_on": s.stamp(),
			})
			if who == Bot {
				rec.Notes = append(rec.Notes, v)
			}
			continue
		}
		if rec.Columns[name] == v {
			continue
		}
		s.next++
		s.audit = append(s.audit, object{
			"sys_id": fmt.Sprintf("%032x", s.next), "tablename": Table, "documentkey": rec.Columns["sys_id"], "fieldname": name, "user": names[who],
			"oldvalue": rec.Columns[name], "newvalue": v, "sys_created_on": s.stamp(), "record_checkpoint": fmt.Sprintf("%08d", rec.changes),
		})
		rec.Columns[name] = v
	}
	s.touch(rec)
}

func (s *Server) touch(rec *Record) {
	rec.changes++
	rec.Columns["sys_updated_on"], rec.Columns["sys_mod_count"] = s.stamp(), fmt.Sprint(rec.changes)
}

// Records are copies of all there are, the oldest first.
func (s *Server) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Record
	for _, rec := range s.records {
		all = append(all, Record{Columns: maps.Clone(rec.Columns), Notes: slices.Clone(rec.Notes)})
	}
	return all
}

// Wrongs is what a real ServiceNow would not complain about, and people would.
func (s *Server) Wrongs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrongs)
}

// Written is how often we changed a state, a severity or an assignee.
func (s *Server) Written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ours
}

// Deliveries takes what the business rule sent.
func (s *Server) Deliveries() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue
	s.queue = nil
	return all
}

// Set is a person who changes columns, or writes a work note.
func (s *Server) Set(who, number string, in map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rec := range s.records {
		if rec.Columns["number"] == number {
			s.change(rec, who, in)
			s.queue = append(s.queue, []byte(`{"number":"`+number+`"}`))
		}
	}
}

// Copy is a person who makes a record with the same columns.
func (s *Server) Copy(who, number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rec := range s.records {
		if rec.Columns["number"] != number {
			continue
		}
		s.next++
		c := &Record{made: s.Now(), Columns: maps.Clone(rec.Columns)}
		c.Columns["sys_id"], c.Columns["sys_created_by"] = fmt.Sprintf("%032x", s.next), names[who]
		c.Columns["number"] = fmt.Sprintf("INC%07d", 10000+len(s.records)+1)
		s.records = append(s.records, c)
		s.touch(c)
		return
	}
}
