package testenv

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ZabbixServer is a Zabbix that a test owns. It may do everything there.
type ZabbixServer struct {
	URL     string // of its pages
	t       testing.TB
	server  service
	session string
	client  *http.Client
}

// Call is one method of the API.
func (z *ZabbixServer) Call(method string, params, into any) error {
	call := map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
	if z.session != "" {
		call["auth"] = z.session
	}
	body, err := json.Marshal(call)
	if err != nil {
		return err
	}
	resp, err := z.client.Post(z.URL+"/api_jsonrpc.php", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var said struct {
		Result json.RawMessage
		Error  *struct{ Data string }
	}
	if err := json.Unmarshal(raw, &said); err != nil || said.Error != nil {
		return fmt.Errorf("%s: %s %s", method, resp.Status, raw)
	}
	return json.Unmarshal(said.Result, into)
}

// ZabbixValue is a value of an item of the type Zabbix trapper.
type ZabbixValue struct {
	Host  string `json:"host"`
	Key   string `json:"key"`
	Value string `json:"value"`
	Clock int64  `json:"clock"`
	Nano  int    `json:"ns"`
}

// Send hands over values, and waits until the server knows the items: it reads them
// once a second, and takes nothing of those that it has not read.
func (z *ZabbixServer) Send(values ...ZabbixValue) {
	z.t.Helper()
	first := 1 // is tried alone, so that none is taken twice
	for deadline := time.Now().Add(startLimit); len(values) > 0; {
		said, err := z.send(values[:first])
		switch {
		case err != nil:
			z.t.Fatal(err)
		case strings.Contains(said, fmt.Sprintf("processed: %d;", first)):
			values, first = values[first:], len(values)-first
		case first > 1 || time.Now().After(deadline):
			z.t.Fatalf("values for Zabbix: %s", said)
		default:
			time.Sleep(10 * pollPause)
		}
	}
}

// send speaks as zabbix_sender does
// (https://www.zabbix.com/documentation/6.0/en/manual/appendix/protocols/header_datalen).
func (z *ZabbixServer) send(values []ZabbixValue) (string, error) {
	data, err := json.Marshal(map[string]any{"request": "sender data", "data": values})
	if err != nil {
		return "", err
	}
	c, err := net.DialTimeout("tcp", z.server.Addr(), startLimit)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(startLimit)); err != nil {
		return "", err
	}
	head := binary.LittleEndian.AppendUint64([]byte("ZBXD\x01"), uint64(len(data)))
	if _, err := c.Write(append(head, data...)); err != nil {
		return "", err
	}
	said, err := io.ReadAll(c)
	return string(said), err
}
