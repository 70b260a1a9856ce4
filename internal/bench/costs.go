package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// measureCosts says what the ground is like that everything stands on: the
// disk, the JSON decoders, and the stores with keys in order and at random.
func measureCosts(ctx context.Context, l *lab) error {
	for _, f := range []func(context.Context, *lab) error{diskCosts, jsonCosts, sqliteCosts, redisCosts} {
		if err := f(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// rated runs f for about d and reports how often a second it went, and how long
// it took.
func (l *lab) rated(ctx context.Context, name, unit string, records int, f func() error) error {
	d := l.size.slice / 4
	var took []time.Duration
	for began := time.Now(); time.Since(began) < d && ctx.Err() == nil; {
		from := time.Now()
		if err := f(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		took = append(took, time.Since(from))
	}
	var sum time.Duration
	for _, t := range took {
		sum += t
	}
	slices.Sort(took)
	l.out.add(name, machine, float64(len(took)*records)/sum.Seconds(), unit)
	l.out.add(name+".p50", machine, ms(percentile(took, 50)), "ms")
	l.out.add(name+".p99", machine, ms(percentile(took, 99)), "ms")
	return ctx.Err()
}

// diskCosts appends records to a file, some to an fdatasync.
func diskCosts(ctx context.Context, l *lab) error {
	f, err := os.Create(filepath.Join(l.dir, "disk"))
	if err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	defer f.Close()
	for _, n := range []int{1, 100, 1000} {
		record := make([]byte, n*alertBytes)
		err := l.rated(ctx, fmt.Sprintf("cost.disk_%d_a_sync", n), "records/s", n, func() error {
			if _, err := f.Write(record); err != nil {
				return err
			}
			return datasync(f)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// posted is an alert as a plain decoder reads it.
type posted struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// jsonCosts decodes a POST of 100 alerts in one goroutine.
func jsonCosts(ctx context.Context, l *lab) error {
	const n = 100
	b := newBody(n, time.Now())
	b.end(time.Now().Add(time.Hour))
	for i := range n {
		b.alert(i, i, i)
	}
	for _, d := range []struct {
		name   string
		decode func() error
	}{
		{"encoding_json", func() error { var a []posted; return json.Unmarshal(b.bytes, &a) }},
		{"json_v2", func() error { var a []posted; return v2.Unmarshal(b.bytes, &a) }},
		{"jsontext_tokens", func() error { return tokens(b.bytes) }},
	} {
		if err := l.rated(ctx, "cost.json_"+d.name, "alerts/s", n, d.decode); err != nil {
			return err
		}
	}
	return nil
}

// tokens only walks the JSON.
func tokens(b []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(b))
	for {
		switch _, err := d.ReadToken(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read a token: %w", err)
		}
	}
}
