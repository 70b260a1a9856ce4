package influxdb

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// influxQL asks /query
// (https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint). Each
// column of numbers is a series of its own.
func (s *Source) influxQL(ctx context.Context, text string, to *ask.Gather) error {
	var said struct {
		Error   string
		Results []struct {
			Error  string
			Series []struct {
				Tags    map[string]string
				Columns []string
				Values  [][]any
			}
		}
	}
	if err := s.client.Get(ctx, "/query", url.Values{"db": {s.config.Database}, "q": {text}, "epoch": {"s"}}, &said); err != nil {
		return err
	}
	switch {
	case said.Error != "":
		return errors.New(ask.Cut(said.Error))
	case len(said.Results) != 1:
		return errors.New("the answer is not what InfluxDB sends")
	case said.Results[0].Error != "":
		return errors.New(ask.Cut(said.Results[0].Error))
	}
	for _, one := range said.Results[0].Series {
		of := ask.Labels(one.Tags)
		for _, row := range one.Values {
			if len(row) != len(one.Columns) || len(row) == 0 {
				continue
			}
			at, ok := row[0].(float64) // InfluxQL's first column is always the time
			if !ok || one.Columns[0] != "time" {
				continue
			}
			for i := 1; i < len(row); i++ {
				if v, ok := row[i].(float64); ok { // null is a gap
					to.Add(column(of, one.Columns[i], len(row) > 2), int64(at), v)
				}
			}
		}
	}
	return nil
}

// column adds the name of a column where there are several.
func column(of, name string, several bool) string {
	if !several {
		return of
	}
	return strings.TrimSpace(name + " " + of)
}

// sql asks /api/v3/query_sql
// (https://docs.influxdata.com/influxdb3/core/query-data/execute-queries/influxdb-v3-api/):
// a list of rows. The columns of text tell series apart, those of numbers are them.
func (s *Source) sql(ctx context.Context, text string, to *ask.Gather) error {
	var rows []map[string]any
	body := map[string]string{"db": s.config.Database, "q": text, "format": "json"}
	if err := s.client.JSON(ctx, "/api/v3/query_sql", body, &rows); err != nil {
		return err
	}
	untimed := 0
	for _, row := range rows {
		at, ok := moment(row["time"])
		if !ok {
			untimed++
			continue
		}
		words := map[string]string{}
		numbers := 0
		for name, v := range row {
			switch v := v.(type) {
			case string:
				if name != "time" {
					words[name] = v
				}
			case float64:
				numbers++
			}
		}
		of := ask.Labels(words)
		for name, v := range row {
			if v, ok := v.(float64); ok && name != "time" {
				to.Add(column(of, name, numbers > 1), at.Unix(), v)
			}
		}
	}
	if untimed > 0 && untimed == len(rows) {
		return errors.New("the answer has no column time: SELECT date_bin($step, time) AS time, …")
	}
	return nil
}

// moment reads a time in UTC, which InfluxDB 3 writes without saying so.
func moment(v any) (time.Time, bool) {
	text, _ := v.(string)
	at, err := time.Parse("2006-01-02T15:04:05.999999999", strings.TrimSuffix(text, "Z"))
	return at, err == nil
}
