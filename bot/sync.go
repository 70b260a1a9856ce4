package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// LocalMessage is one message in every language of the catalogue. A chat that
// knows its readers' languages keeps them all; another takes the configured one.
type LocalMessage map[string]Message

// In chooses the language, falling back to English.
func (m LocalMessage) In(lang string) Message {
	if one, ok := m[lang]; ok {
		return one
	}
	return m[phrases.English]
}

// only is the message in one language, whichever is asked for.
func (m LocalMessage) only(lang string) LocalMessage {
	out := make(LocalMessage, len(m))
	for other := range m {
		out[other] = m.In(lang)
	}
	return out
}

// Poster is one chat, as far as war rooms go.
//
// OpenRoom makes the incident's room, named s.Slug(), or adopts the one of
// that name that an earlier attempt left behind. Post posts a message under
// its key, or edits it where previous says that it stands already; posting a
// key twice must not show it twice (an attempt may have died before anybody
// wrote down that it succeeded). It answers with the message's id in the chat.
type Poster interface {
	OpenRoom(ctx context.Context, s *incidents.Incident) (incidents.Room, error)
	Post(ctx context.Context, room incidents.Room, key string, m LocalMessage, previous incidents.Posted) (incidents.Posted, error)
}

// Syncer keeps the war rooms of one chat as Room says they should be. It is
// the port that a worker brings rooms up to date through.
type Syncer struct {
	Chat   string // its name in the policy: "console", "slack"
	Poster Poster
	Links  Links
	Now    func() time.Time // its time zone is the one that times are shown in

	Languages map[string]string // of rooms of some customers, where everybody in them reads it
}

// Archiver is a Poster whose rooms can be put away. Doing it again changes
// nothing.
type Archiver interface {
	Archive(ctx context.Context, room incidents.Room) error
}

// Archive puts a room away, where the chat has such a thing.
// It says whether that is so.
func (y *Syncer) Archive(ctx context.Context, room incidents.Room) (bool, error) {
	a, can := y.Poster.(Archiver)
	if !can {
		return false, nil
	}
	return true, a.Archive(ctx, room)
}

// Sync opens the room if need be, posts what is missing in order, and edits
// what has changed. events are those after the room's LastSeq, or the latest
// of them where there are too many; the first sync gets the log from its start.
//
// It returns the room as it stands now: unchanged where nothing was due. With
// an error it returns what had been done by then, which may be committed; if
// it is not, the next attempt posts the same keys again.
func (y *Syncer) Sync(ctx context.Context, s *incidents.Incident, events []incidents.Event) (incidents.Room, error) {
	now := y.Now()
	room, known := s.Rooms[y.Chat]
	wanted := y.wanted(s, events, room, now)
	if len(wanted) == 0 || !room.ArchivedAt.IsZero() && !s.Status().Open() {
		return room, nil
	}
	if !known || room.Row != 0 && room.Wanted {
		mark := room.LastSeq
		known = false
		var err error
		if room, err = y.Poster.OpenRoom(ctx, s); err != nil {
			return incidents.Room{}, fmt.Errorf("open the room of %s in %s: %w", s.ID, y.Chat, err)
		}
		if room.OpenedAt.IsZero() {
			room.OpenedAt = now
		}
		room.LastSeq = mark
		wanted = y.wanted(s, events, room, now)
	}
	if room.Row != 0 { // its card is the row, and it has nothing else there
		wanted = wanted[:1]
	}
	room.Posted = maps.Clone(room.Posted)
	if room.Posted == nil {
		room.Posted = map[string]incidents.Posted{}
	}
	touched := !known
	for i := range wanted {
		did, err := y.post(ctx, &room, &wanted[i])
		if err != nil {
			return room, fmt.Errorf("post %s of %s in %s: %w", wanted[i].key, s.ID, y.Chat, err)
		}
		touched = touched || did
	}
	if n := len(events); touched && n > 0 {
		room.LastSeq = max(room.LastSeq, events[n-1].Seq)
	}
	return room, nil
}

// post brings one message up to date and notes it in the room. A line is never
// edited: that it was posted shows in LastSeq, which keeps Posted small.
func (y *Syncer) post(ctx context.Context, room *incidents.Room, w *wantedMessage) (did bool, err error) {
	hash := w.local.hash()
	previous, stands := room.Posted[w.key]
	if stands && previous.Hash == hash && (!previous.Late || w.late != nil) {
		return false, nil
	}
	content := w.local
	if w.late != nil {
		content = w.late
	}
	posted, err := y.Poster.Post(ctx, *room, w.key, content, previous)
	if err != nil {
		return false, err
	}
	if w.line > 0 {
		room.LastSeq = max(room.LastSeq, w.line)
		return true, nil
	}
	posted.Hash, posted.Seq, posted.Late = hash, w.said, w.late != nil
	room.Posted[w.key] = posted
	forgetSaid(room.Posted)
	return true, nil
}

// wantedMessage is a message that should stand in the room.
type wantedMessage struct {
	key   string
	line  int64 // the event that a line tells; 0 for messages that are edited in place
	said  int64 // the event that tells what a person said elsewhere; 0 for the others
	local LocalMessage
	late  LocalMessage // the card with a line that the room was behind; nil: it was not
}

// wanted renders the room in every language. Lines that the room has are left
// out; where it has missed too many, they become one.
func (y *Syncer) wanted(s *incidents.Incident, events []incidents.Event, room incidents.Room, now time.Time) []wantedMessage {
	missed := events
	for len(missed) > 0 && missed[0].Seq <= room.LastSeq {
		missed = missed[1:]
	}
	var all []wantedMessage
	behind, n := late(s, missed, now)
	said := saidIn(missed)
	for _, lang := range phrases.Languages {
		messages := elsewhere(y.Chat, lang, Room(s, missed, lang, now, y.Links), missed, room)
		for i := range messages {
			messages[i].Links = slices.DeleteFunc(messages[i].Links, func(l Link) bool { return room.Row == 0 && l.URL == room.URL }) // who reads it is there
		}
		messages = foldLines(messages, lang, len(missed) > 0 && missed[0].Seq > room.LastSeq+1)
		if all == nil {
			all = make([]wantedMessage, len(messages))
		}
		for i, m := range messages {
			if all[i].local == nil {
				all[i] = wantedMessage{key: m.Key, line: lineSeq(m), local: LocalMessage{}}
				if news := said[m.Key]; news != nil {
					all[i].said = news.last.Seq
				}
			}
			all[i].local[lang] = m
		}
	}
	if lang := y.Languages[s.Customer]; lang != "" && room.Row == 0 { // a row is in the table of each language
		for i := range all {
			all[i].local = all[i].local.only(lang)
		}
	}
	if len(all) > 0 && behind >= lateFrom {
		all[0].late = sayLate(y.Chat, all[0].local, behind, n, now)
	}
	return all
}

// maxMissing is how many lines a room may have missed before they become one:
// after an outage of the chat people need to know what is so now, and that
// there was more.
const maxMissing = 20

// foldLines makes one line of more than maxMissing. more says that there were
// others before those.
func foldLines(messages []Message, lang string, more bool) []Message {
	lines, last := 0, 0
	for i := range messages {
		if messages[i].Kind == KindLine {
			lines, last = lines+1, i
		}
	}
	if lines <= maxMissing {
		return messages
	}
	n := strconv.Itoa(lines)
	if more {
		n += "+"
	}
	out := make([]Message, 0, len(messages)-lines+1)
	for i, m := range messages {
		switch {
		case i == last:
			m.Title = phrases.T(lang, "line.folded", "n", n, "newest", m.Title)
			out = append(out, m)
		case m.Kind != KindLine:
			out = append(out, m)
		}
	}
	return out
}

func lineSeq(m Message) int64 {
	if m.Kind != KindLine {
		return 0
	}
	seq, err := strconv.ParseInt(strings.TrimPrefix(m.Key, "ev-"), 10, 64)
	if err != nil {
		return 0
	}
	return seq
}

// hash names a message's content: equal messages, equal hashes, so an edit is
// due only where it differs.
func (m LocalMessage) hash() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("bot: a message of strings did not encode: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
