package redis

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// PutSetting implements storage.Settings. It is sent once: where the answer was
// lost, whether it was ours that was written is for the caller to read.
func (s *Store) PutSetting(ctx context.Context, name string, expect int64, body []byte) error {
	if err := incidents.CheckSetting(name, expect, body); err != nil {
		return err
	}
	const doing = "write a setting"
	sig := incidents.Signal{Kind: incidents.SignalSetting, Setting: name}
	out, err := s.do(ctx, doing, &call{script: putScript, key: s.metaKey(), args: []any{
		name, strconv.FormatInt(expect, 10), body, s.channel(), s.message(sig),
	}})
	if err != nil {
		return err
	}
	if n, _ := out.(int64); n != 1 {
		return incidents.ErrConflict
	}
	s.hub.Send(sig)
	return nil
}

// Setting implements storage.Settings.
func (s *Store) Setting(ctx context.Context, name string) (incidents.Document, error) {
	const doing = "read a setting"
	found := incidents.Document{Name: name}
	out, err := s.do(ctx, doing, &call{script: settingScript, key: s.metaKey(), args: []any{name}, read: true})
	if err != nil {
		return found, err
	}
	row := list(out)
	if found.Version, err = strconv.ParseInt(str(at(row, 0)), 10, 64); err != nil {
		return found, fmt.Errorf("%s: decode its version: %w", doing, err)
	}
	if found.Version > 0 {
		found.Body = []byte(str(at(row, 1)))
	}
	return found, nil
}
