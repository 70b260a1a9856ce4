package intake

import (
	"context"
	"log/slog"
	"time"
)

// logRefused says that a POST was refused and why; what was in it stays out of
// the log.
func (v *Receiver) logRefused(p post, what string, f *refusal, now time.Time) {
	level := slog.LevelWarn
	if f.status >= 500 || f.reason == reasonInternal {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("reason", f.reason), slog.Int("status", f.status), slog.String("format", p.format),
		slog.String("source", p.source), slog.String("peer", p.peer.String()), slog.String("detail", f.err.Message),
	}
	if f.cause != nil {
		attrs = append(attrs, slog.Any("error", f.cause))
	}
	v.line(level, what+" refused", what+" "+f.reason+" "+p.source, now, attrs)
}

// logLeftOut says that a POST of something other than alerts had parts that are nothing.
func (v *Receiver) logLeftOut(p post, n int, now time.Time) {
	if n > 0 {
		v.line(slog.LevelWarn, "parts of a post of "+p.format+" say nothing, or nothing of today, and were left out", "left out "+p.format+" "+p.source, now,
			[]slog.Attr{slog.String("source", p.source), slog.Int("left_out", n)})
	}
}

// logAccepted says what was not as it should be about a POST that was taken.
func (v *Receiver) logAccepted(p post, now time.Time) {
	source := slog.String("source", p.source)
	if p.truncated > 0 {
		v.line(slog.LevelWarn, "the sender left alerts out of its post; raise max_alerts or make its groups smaller",
			"truncated "+p.source, now, []slog.Attr{source, slog.Int("truncated_alerts", p.truncated)})
	}
	if p.mended.Total() > 0 {
		v.line(slog.LevelWarn, "parts of alerts were cut, replaced or left out", "mended "+p.source, now, []slog.Attr{
			source, slog.Int("cut", p.mended.Cut), slog.Int("text", p.mended.Text),
			slog.Int("left_out", p.mended.LeftOut), slog.Int("links", p.mended.Links)})
	}
	if p.mended.Clocks > 0 {
		v.line(slog.LevelWarn, "the sender's clock is ahead of ours; check ntp on both", "clock "+p.source, now,
			[]slog.Attr{source, slog.Int("alerts", p.mended.Clocks)})
	}
}

func (v *Receiver) line(level slog.Level, message, kind string, now time.Time, attrs []slog.Attr) {
	ok, heldBack := v.lines.allow(kind, now)
	if !ok {
		return
	}
	if heldBack > 0 {
		attrs = append(attrs, slog.Int("held_back", heldBack))
	}
	v.logger.LogAttrs(context.Background(), level, message, attrs...)
}
