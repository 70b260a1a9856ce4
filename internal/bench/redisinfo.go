package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

var errRedis = errors.New("redis gave an answer that is not understood")

// redisInfo asks a Redis for a section of INFO: name → value.
func redisInfo(addr, section string) (map[string]string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil, fmt.Errorf("ask redis: %w", err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second)) // a dead connection fails below
	if _, err := fmt.Fprintf(c, "INFO %s\r\n", section); err != nil {
		return nil, fmt.Errorf("ask redis: %w", err)
	}
	r := bufio.NewReader(c)
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("ask redis: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(head, "$")))
	if err != nil || head[0] != '$' || n < 0 || n > 1<<20 {
		return nil, fmt.Errorf("%w: %.100q", errRedis, head)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("ask redis: %w", err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(body)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			all[name] = value
		}
	}
	return all, nil
}

// redisCalls counts the commands of each kind that a Redis has carried out,
// those inside scripts included, and the reads from its clients: a pipeline is
// one read, so they are round trips.
func redisCalls(addr string) (calls map[string]int, reads int, err error) {
	stats, err := redisInfo(addr, "commandstats")
	if err != nil {
		return nil, 0, err
	}
	calls = map[string]int{}
	for name, value := range stats {
		_, rest, found := strings.Cut(value, "calls=")
		digits, _, _ := strings.Cut(rest, ",")
		if n, err := strconv.Atoi(digits); found && err == nil {
			calls[strings.TrimPrefix(name, "cmdstat_")] = n
		}
	}
	general, err := redisInfo(addr, "stats")
	if err != nil {
		return nil, 0, err
	}
	reads, err = strconv.Atoi(general["total_reads_processed"])
	if err != nil {
		return nil, 0, fmt.Errorf("%w: total_reads_processed", errRedis)
	}
	return calls, reads, nil
}
