package steps

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// An excerpt of the most that a command can say takes some milliseconds.
func BenchmarkRedactorExcerpt(b *testing.B) {
	r := NewRedactor("my-canary-token", "another-secret-token")
	text := strings.Repeat("level=ERROR msg=\"token refused\" url=https://shop.example.com/ password=x\n", 14<<10)
	for b.Loop() {
		r.Excerpt(text, 2000)
	}
}

func BenchmarkRedactorClean(b *testing.B) {
	r := NewRedactor("my-canary-token", "another-secret-token")
	for name, text := range map[string]string{
		"2KiB": strings.Repeat("time=2026-11-22T08:30:48Z level=ERROR msg=\"request failed\" path=/checkout\n", 28),
		"1MiB": strings.Repeat("time=2026-11-22T08:30:48Z level=ERROR msg=\"request failed\" path=/checkout\n", 14<<10),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				r.Clean(text)
			}
		})
	}
}

// What carrying out a command adds to starting it.
func BenchmarkCommand(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command("true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("step", func(b *testing.B) {
		c := newCommand(Config{})
		for b.Loop() {
			if r := c.Execute(b.Context(), commandStep(time.Minute, "true"), Env{}); !r.OK {
				b.Fatal(r)
			}
		}
	})
}
