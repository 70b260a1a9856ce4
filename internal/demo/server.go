package demo

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/index.html"))

// pagePolicy lets the page use its own files and nothing else.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	for _, asset := range []string{"shop.css", "shop.js"} {
		mux.HandleFunc("GET /"+asset, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, pageFiles, "page/"+asset)
		})
	}
	mux.HandleFunc("GET /checkout", s.checkout)
	mux.HandleFunc("POST /checkout", s.checkout)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /metrics", s.scrape)
	mux.HandleFunc("POST /break", s.breakIt)
	return s.observe(http.NewCrossOriginProtection().Handler(mux))
}

// A recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// observe counts and logs requests. Checks and scrapes are logged only when they
// find trouble.
func (s *shop) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, code: http.StatusOK}
		began := time.Now()
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(rec, r)
		took := time.Since(began)
		path := "other"
		if _, known, ok := strings.Cut(r.Pattern, " "); ok {
			path = strings.TrimSuffix(known, "{$}")
		}
		s.metrics.request(path, rec.code)
		if path == "/checkout" {
			s.metrics.checkout(took)
		}
		log := s.log.Info
		if rec.code >= 500 {
			log = s.log.Error
		} else if path == "/healthz" || path == "/metrics" {
			return
		}
		log("request", "method", r.Method, "path", path, "status", rec.code,
			"took", took.Round(time.Microsecond), "queue_depth", len(s.pool.queue))
	})
}

func (s *shop) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	data := struct {
		Products []product
		Breaking bool
	}{products, fromLoopback(r)}
	if err := pageTemplate.Execute(w, data); err != nil {
		s.log.Warn("the page was not sent", "error", err)
	}
}

// checkout buys a product (POST) or asks what it costs and whether it is there
// (GET, which changes nothing). Both go through the queue and the workers.
func (s *shop) checkout(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("product")
	if id == "" {
		id = products[0].ID
	}
	p, ok := productByID(id)
	if !ok {
		answer(w, http.StatusNotFound, problem("unknown product"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.o.checkoutDeadline)
	defer cancel()
	body, err := s.sell(ctx, r.Method == http.MethodPost, p)
	switch {
	case err == nil:
		answer(w, http.StatusOK, body)
	case errors.Is(err, errNoSpace):
		s.log.Error("checkout failed", "error", err)
		answer(w, http.StatusInsufficientStorage, problem(err.Error()))
	default:
		s.log.Error("checkout failed", "error", err)
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, problem(err.Error()))
	}
}

func (s *shop) sell(ctx context.Context, order bool, p product) (any, error) {
	type quote struct {
		Product string `json:"product"`
		Yen     int    `json:"yen"`
		Left    int    `json:"left"`
	}
	sold := make(chan any, 1) // not a variable: a worker may still write when the customer is gone
	name, do := "quote", func(w *worker) error {
		sold <- quote{p.ID, p.Yen, s.till.quote(w, p)}
		return nil
	}
	if order {
		name, do = "checkout", func(w *worker) error {
			r, err := s.till.buy(w, p)
			sold <- r
			return err
		}
	}
	if err := s.pool.submit(ctx, name, do); err != nil {
		return nil, err
	}
	return <-sold, nil
}

func (s *shop) healthz(w http.ResponseWriter, r *http.Request) {
	h := s.health(r.Context())
	code := http.StatusOK
	if h.Wedged || h.CacheFull {
		code = http.StatusServiceUnavailable
	}
	answer(w, code, h)
}

func (s *shop) scrape(w http.ResponseWriter, r *http.Request) {
	h := s.health(r.Context())
	w.Header().Set("Content-Type", metricsType)
	_, _ = w.Write(s.metrics.text(h, s.began)) // a scraper that went away has nobody to tell
}

// breakIt really breaks the shop, for whoever sits at the machine.
func (s *shop) breakIt(w http.ResponseWriter, r *http.Request) {
	if !fromLoopback(r) {
		answer(w, http.StatusForbidden, problem("only from this machine"))
		return
	}
	how := r.FormValue("how")
	if err := s.fault(how); err != nil {
		code := http.StatusConflict
		if errors.Is(err, errUnknownFault) {
			code = http.StatusBadRequest
		}
		answer(w, code, problem(err.Error()))
		return
	}
	answer(w, http.StatusAccepted, map[string]string{"broken": how})
}

var errUnknownFault = errors.New("unknown fault: wedge, leak and slow are known")

func (s *shop) fault(how string) error {
	switch how {
	case "wedge":
		delivery, stocktaking := s.till.wedge()
		for name, do := range map[string]func(*worker) error{"delivery": delivery, "stocktaking": stocktaking} {
			if _, err := s.pool.post(s.ctx, name, do); err != nil {
				return err
			}
		}
	case "leak":
		s.background.Go(func() {
			s.log.Info("making thumbnails")
			if err := s.till.cache.leak(s.ctx); err != nil {
				s.log.Error("making thumbnails failed", "error", err)
			}
		})
	case "slow":
		s.till.slow(s.o.slowBy, s.o.slowFor)
	default:
		return errUnknownFault
	}
	return nil
}

// fromLoopback says whether the request was made on this machine: by its
// address, by the name it was made to (a page elsewhere can point its own name at
// 127.0.0.1) and without a proxy in between.
func fromLoopback(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

func problem(message string) map[string]string { return map[string]string{"error": message} }

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // a customer who went away has nobody to tell
}
