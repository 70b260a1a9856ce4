package main

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/inquiry"
	"github.com/hikeshi-ops/hikeshi/internal/demo"
)

// askedInDemo is what the first investigation asks in the demo: the shop's own
// metrics, read without a Prometheus, and who depends on the shop.
func askedInDemo(shop string) inquiry.Config {
	return inquiry.Config{
		Wait:    inquiry.Duration(2500 * time.Millisecond), // its alerts are faster than its metrics
		Metrics: []inquiry.Scrape{{Service: "shop", URL: shop + "/metrics", Every: inquiry.Duration(time.Second)}},
		Services: []inquiry.Service{
			{Name: "shop", Owner: "web team", DependsOn: []string{"payment", "cache"}},
			{Name: "storefront", Owner: "web team", DependsOn: []string{"shop"}},
			{Name: "order-mail", Owner: "mail team", DependsOn: []string{"shop"}},
		},
	}
}

// tellSources sends the shop's log, and that the shop was started, which is the
// latest change there is.
func (d *demonstration) tellSources(ctx context.Context) {
	shipper := &demo.Shipper{Dir: filepath.Join(d.dir, "shop"), URL: d.app.url() + "/v1/logs"}
	d.start(ctx, "log", shipper.Run)
	started := time.Now()
	d.start(ctx, "changes", func(ctx context.Context) error {
		body, err := json.Marshal(map[string]any{"service": "shop", "title": "shop started", "by": "supervisor", "at": started})
		if err != nil {
			return err
		}
		return demo.Tell(ctx, http.DefaultClient, d.app.url()+"/v1/changes", body)
	})
}
