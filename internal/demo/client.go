package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// fetchHealth reads a shop's /healthz, whatever its status.
func fetchHealth(ctx context.Context, client *http.Client, address string) (Health, error) {
	var h Health
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return h, fmt.Errorf("ask the shop: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return h, fmt.Errorf("ask the shop: %w", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&h); err != nil || h.Status == "" {
		return h, fmt.Errorf("ask the shop: status %d without a health report", resp.StatusCode)
	}
	return h, nil
}

func breakShop(ctx context.Context, client *http.Client, base, how string) error {
	form := url.Values{"how": {how}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/break", strings.NewReader(form))
	if err != nil {
		return fmt.Errorf("break the shop: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("break the shop: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("break the shop: status %d: %s", resp.StatusCode, strings.TrimSpace(string(why)))
	}
	return nil
}
