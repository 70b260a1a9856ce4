package sqlite

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// setting is a change of a setting on its way.
type setting struct {
	name   string
	expect int64
	body   []byte
}

func (p *setting) size() int { return len(p.name) + len(p.body) + 64 }

func (p *setting) apply(t *tx) (error, error) {
	row, err := t.c.one(getSetting, p.name)
	if err != nil {
		return nil, err
	}
	var version int64
	if row != nil {
		version = integer(row[0])
	}
	if version != p.expect {
		return incidents.ErrConflict, nil
	}
	if err := t.c.exec(setSetting, p.name, version+1, p.body); err != nil {
		return nil, err
	}
	t.signal(incidents.Signal{Kind: incidents.SignalSetting, Setting: p.name})
	return nil, nil
}

// PutSetting implements storage.Settings.
func (s *Store) PutSetting(ctx context.Context, name string, expect int64, body []byte) error {
	if err := incidents.CheckSetting(name, expect, body); err != nil {
		return err
	}
	return s.submit(ctx, "write a setting", &setting{name: name, expect: expect, body: append([]byte{}, body...)}, 0)
}

// Setting implements storage.Settings.
func (s *Store) Setting(ctx context.Context, name string) (incidents.Document, error) {
	found := incidents.Document{Name: name}
	err := s.read(ctx, "read a setting", func(c *conn) error {
		row, err := c.one(getSetting, name)
		if err == nil && row != nil {
			found.Version, found.Body = integer(row[0]), blob(row[1])
		}
		return err
	})
	return found, err
}
