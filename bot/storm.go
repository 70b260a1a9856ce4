package bot

import (
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// StormRow is an incident in the table of a room that many share.
type StormRow struct {
	ID       incidents.ID
	Severity incidents.Severity
	Title    string
	State    map[string]string // by language
}

// maxStormRows is how many rows are shown: Slack has 50 blocks in a message,
// https://docs.slack.dev/reference/block-kit/blocks.
const maxStormRows = 30

// StormTable is the table of the incidents that share a room, each with a
// button for a room of its own. more is how many have no row.
func StormTable(rows []StormRow, more int, at time.Time) LocalMessage {
	shown := rows[:min(len(rows), maxStormRows)]
	all := len(rows) + more
	more = all - len(shown)
	out := LocalMessage{}
	for _, lang := range phrases.Languages {
		m := Message{
			Key: "storm", Kind: KindStorm, Pinned: true, Tone: ToneBad, At: at,
			Title: count(lang, "storm.title", all), Text: phrases.T(lang, "storm.text"),
		}
		for i, r := range shown {
			m.Items = append(m.Items, Item{
				Rank: i + 1, Title: r.ID.String() + " " + r.Severity.String() + " " + Line(r.Title, 120), Evidence: r.State[lang],
				Buttons: []Button{{ID: press{incident: r.ID, verb: pressRoom}.encode(), Label: phrases.T(lang, "storm.room")}},
			})
		}
		if more > 0 {
			m.Fields = append(m.Fields, Field{Name: phrases.T(lang, "storm.more"), Value: phrases.T(lang, "storm.more_n", "n", strconv.Itoa(more))})
		}
		out[lang] = m
	}
	return out
}

// RowState says in a few words how an incident stands, from its card.
func RowState(card LocalMessage) map[string]string {
	state := map[string]string{}
	for lang, m := range card {
		for _, f := range m.Fields {
			if f.Name == phrases.T(lang, "card.status") || f.Name == phrases.T(lang, "card.acked") {
				if state[lang] != "" {
					state[lang] += " · "
				}
				state[lang] += Line(f.Value, 60)
			}
		}
	}
	return state
}
