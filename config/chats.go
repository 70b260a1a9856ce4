package config

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// Chats is what holds for all outside chats; each has a block of its own.
type Chats struct {
	ArchiveAfter Duration `yaml:"archive_after"`
	Storm        Storm    `yaml:"storm"`
}

// Storm is how many rooms one chat gets before incidents share one.
type Storm struct {
	PerMinute int `yaml:"per_minute"`
	PerHour   int `yaml:"per_hour"`
}

func defaultChats() Chats {
	return Chats{
		ArchiveAfter: Duration(7 * 24 * time.Hour),
		Storm:        Storm{PerMinute: chat.DefaultPerMinute, PerHour: chat.DefaultPerHour},
	}
}

// chats checks what holds for all of them.
func (s *settler) chats() {
	if c := s.Chats.Storm; c.PerMinute < 1 || c.PerHour < c.PerMinute {
		s.note(wrong("chats.storm", "config.storm"))
	}
}
