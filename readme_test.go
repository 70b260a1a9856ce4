package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// What the README shows is taken out of it and used, in both languages.
var readmes = []string{"README.md", "README.ja.md"}

// snippets are a README's blocks of code whose first line says which file they
// are: "# alertmanager.yml". Absolute paths lead into dir, where the token files
// are that they name.
func snippets(t *testing.T, readme, dir string) map[string]string {
	t.Helper()
	page := read(t, readme)
	files := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```(?:yaml)?\n# ([a-z/.-]+)\n(.*?)```").FindAllStringSubmatch(page, -1) {
		text := strings.NewReplacer("/etc/", dir+"/etc/", "/var/", dir+"/var/").Replace(block[2])
		files[block[1]] = text
		write(t, filepath.Join(dir, block[1]), text)
		for _, m := range regexp.MustCompile(`(?:credentials|token)_file: ([^\s}]+)`).FindAllStringSubmatch(text, -1) {
			write(t, m[1], filepath.Base(m[1])+"-0123456789abcdef\n")
		}
	}
	if n := strings.Count(page, "```yaml") + 1; len(files) != n { // and redis.conf
		t.Fatalf("%s has %d blocks of YAML or configuration, of which %d say which file they are", readme, n, len(files))
	}
	return files
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func eachReadme(t *testing.T, check func(t *testing.T, readme string)) {
	t.Helper()
	for _, readme := range readmes {
		t.Run(readme, func(t *testing.T) {
			t.Parallel()
			check(t, readme)
		})
	}
}

func none(string) string { return "" }

func TestReadmeFilesAreGood(t *testing.T) {
	t.Parallel()
	eachReadme(t, func(t *testing.T, readme string) {
		dir := t.TempDir()
		known := map[string]func(path string){
			"hikeshi.yaml":              func(path string) { goodConfig(t, path) },
			"runbooks/restart-web.yaml": func(path string) { goodRunbook(t, path) },
			"alertmanager.yml":          func(path string) { runs(t, "amtool", "check-config", path) },
			"prometheus.yml":            func(path string) { runs(t, "promtool", "check", "config", path) },
			"redis.conf":                func(path string) { durable(t, path) },
		}
		files := snippets(t, readme, dir)
		for name, check := range known {
			if _, ok := files[name]; !ok {
				t.Errorf("there is no %s", name)
				continue
			}
			check(filepath.Join(dir, name))
		}
		if len(files) != len(known) {
			t.Errorf("files that nobody checks: %v", files)
		}
	})
}

func goodConfig(t *testing.T, path string) {
	c, err := config.Load(path, none)
	if err != nil {
		t.Error(err)
		return
	}
	s, err := c.Settle()
	if err != nil {
		t.Error(err)
		return
	}
	if len(s.ConsolePeople) != 1 || len(s.Intake) != 1 || len(s.Rules) != 1 {
		t.Errorf("%d people, %d sources, %d rules", len(s.ConsolePeople), len(s.Intake), len(s.Rules))
	}
}

func goodRunbook(t *testing.T, path string) {
	for _, p := range runbooks.Lint([]string{path}, nil) { // warnings too: it is an example
		t.Error(p.Text(phrases.English, phrases.Fill))
	}
}

func runs(t *testing.T, program string, args ...string) {
	out, err := exec.CommandContext(t.Context(), testenv.Need(t, program), args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", program, err, out)
	}
}

// durable starts an unsafe Redis and lets the file's settings win.
func durable(t *testing.T, path string) {
	args := []string{"--appendonly", "no", "--appendfsync", "no", "--maxmemory-policy", "allkeys-lru"}
	for line := range strings.Lines(read(t, path)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		args = append(args, "--"+name, value)
	}
	store, err := storage.Open(t.Context(), storage.Config{URL: testenv.Redis(t, args...).URL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if h := store.Health(t.Context()); !h.Durable || len(h.Problems) > 0 {
		t.Errorf("with these settings: %+v", h)
	}
}

// The README's curl command opens an incident for which the README's runbook is
// suggested, after its check has run.
func TestReadmeCurlAndRunbook(t *testing.T) {
	t.Parallel()
	eachReadme(t, func(t *testing.T, readme string) {
		dir := t.TempDir()
		snippets(t, readme, dir)
		c := config.Default()
		c.Listen, c.Data, c.Runbooks.Paths = "127.0.0.1:0", filepath.Join(dir, "data"), []string{filepath.Join(dir, "runbooks")}
		url := serving(t, c)
		curl := regexp.MustCompile("(?s)```sh\ncurl --json '(.*?)'[ \\\\\n]+http://127.0.0.1:8080(\\S+)\n```\n```json\n(.*?)\n```").FindStringSubmatch(read(t, readme))
		if curl == nil {
			t.Fatal("there is no curl command with an answer")
		}
		resp, err := http.Post(url+curl[2], "application/json", strings.NewReader(curl[1]))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || strings.TrimSpace(string(body)) != curl[3] {
			t.Fatalf("%v %s %s", err, resp.Status, body)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p := newPlayer(url, phrases.English, io.Discard)
		s, err := p.await(ctx, 0, func(s *seen) bool { return len(s.Suggestions) > 0 && len(s.Findings) > 0 })
		if err != nil {
			t.Fatal(err)
		}
		if s.Suggestions[0].Action != "restart-web" {
			t.Errorf("suggested: %+v", s.Suggestions)
		}
		// By its name too, which asks and does not run.
		if err := p.command(ctx, s.ID, "run restart-web"); err != nil {
			t.Error(err)
		}
		if s, err = p.incident(ctx, s.ID); err != nil || len(s.Runs) != 0 {
			t.Errorf("%v; it ran: %+v", err, s)
		}
	})
}

// serving runs the whole product in this process until the test ends.
func serving(t *testing.T, c config.Config) (url string) {
	t.Helper()
	s, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	a, err := build(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a.url()
}

func TestReadmeListsEveryCommand(t *testing.T) {
	t.Parallel()
	for _, readme := range readmes {
		page := read(t, readme)
		for _, c := range commands.All(commands.Deps{}) {
			if usage := "`/inc " + strings.ReplaceAll(c.Usage, "|", `\|`) + "`"; !strings.Contains(page, usage) {
				t.Errorf("%s does not have %s", readme, usage)
			}
		}
	}
}

// Links inside the repository lead somewhere, and pictures are small.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, readmes...)
	pages = append(pages, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "ARCHITECTURE.md")
	link := regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)|src="([^"]+)"`)
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			to := m[1] + m[2]
			if strings.Contains(to, "://") {
				continue
			}
			info, err := os.Stat(filepath.Join(filepath.Dir(page), to))
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if strings.HasSuffix(to, ".png") && info.Size() > 200<<10 {
				t.Errorf("%s: %s has %d bytes", page, to, info.Size())
			}
		}
	}
}

// The README's promise about Redis, kept: alerts are refused, and /readyz says
// which setting it is.
func TestUnsafeRedisIsRefused(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Listen, c.Data, c.Store = "127.0.0.1:0", t.TempDir(), config.Secret(testenv.Redis(t, "--appendfsync", "everysec").URL)
	url := serving(t, c)
	resp, err := http.Post(url+"/v1/alerts/generic", "application/json", strings.NewReader(`{"title":"SiteDown"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the alert was answered %s", resp.Status)
	}
	if resp, err = http.Get(url + "/readyz"); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var ready struct{ Said []string }
	if err := json.NewDecoder(resp.Body).Decode(&ready); err != nil || resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(strings.Join(ready.Said, "\n"), "appendfsync always") {
		t.Errorf("%v %s %v", err, resp.Status, ready.Said)
	}
}
