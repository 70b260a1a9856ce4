package main

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// chatsConfig is what holds for all outside chats; each has a block of its own.
type chatsConfig struct {
	ArchiveAfter duration    `yaml:"archive_after"`
	Storm        stormConfig `yaml:"storm"`
}

// stormConfig is how many rooms one chat gets before incidents share one.
type stormConfig struct {
	PerMinute int `yaml:"per_minute"`
	PerHour   int `yaml:"per_hour"`
}

func defaultChats() chatsConfig {
	return chatsConfig{
		ArchiveAfter: duration(7 * 24 * time.Hour),
		Storm:        stormConfig{PerMinute: chat.DefaultPerMinute, PerHour: chat.DefaultPerHour},
	}
}

// chats checks what holds for all of them.
func (s *settler) chats() {
	if c := s.Chats.Storm; c.PerMinute < 1 || c.PerHour < c.PerMinute {
		s.note(wrong("chats.storm", "config.storm"))
	}
}
