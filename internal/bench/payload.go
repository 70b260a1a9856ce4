package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// An alert of the load has 10 labels and 3 annotations in alertBytes bytes, as
// those of the reference measurements. Its number stands in two labels and its
// group's in two; they have fixed places, so that a POST is made by writing
// digits into a body that is there already.
const (
	alertBytes = 814
	digits     = 7
	maxNumber  = 9_999_999
	timeForm   = "2006-01-02T15:04:05.000Z"
)

const (
	numberMark = "#######"
	groupMark  = "*******"
	endMark    = "!!!!-!!-!!T!!:!!:!!.!!!Z"
)

// body is a POST of several alerts that is written over and over.
type body struct {
	bytes   []byte
	numbers [][]int // of each alert: where its number stands
	groups  [][]int
	ends    []int
}

// alertText is one alert with marks where it varies.
func alertText(start time.Time) string {
	text := `{"labels":{"alertname":"HighErrorRate","cluster":"eu-west-1","env":"production","group":"group-` + groupMark +
		`","instance":"10.20.30.40:` + numberMark + `","job":"checkout-api","namespace":"shop","pod":"checkout-api-7d9f8b6c5-` + numberMark +
		`","service":"service-` + groupMark + `","severity":"critical"},` +
		`"annotations":{"summary":"checkout-api answers with errors","runbook_url":"https://runbooks.example.com/checkout/high-error-rate",` +
		`"description":"The error rate of checkout-api is above five percent for more than five minutes. ~"},` +
		`"startsAt":"` + start.UTC().Format(timeForm) + `","endsAt":"` + endMark + `",` +
		`"generatorURL":"http://prometheus.example:9090/graph?g0.expr=rate&g0.tab=1"}`
	return strings.Replace(text, "~", strings.Repeat("x", alertBytes-len(text)+1), 1)
}

// newBody makes a POST of n alerts that began at start.
func newBody(n int, start time.Time) *body {
	one := alertText(start)
	b := &body{bytes: []byte("[" + strings.Repeat(one+",", n-1) + one + "]")}
	for i := range n {
		at := 1 + i*(len(one)+1)
		b.numbers = append(b.numbers, places(one, numberMark, at))
		b.groups = append(b.groups, places(one, groupMark, at))
		b.ends = append(b.ends, places(one, endMark, at)...)
	}
	return b
}

func places(text, mark string, at int) []int {
	var all []int
	for i := 0; ; i += len(mark) {
		next := strings.Index(text[i:], mark)
		if next < 0 {
			return all
		}
		i += next
		all = append(all, at+i)
	}
}

// alert writes the i-th alert's number and group.
func (b *body) alert(i, number, group int) {
	for _, at := range b.numbers[i] {
		writeNumber(b.bytes[at:at+digits], number)
	}
	for _, at := range b.groups[i] {
		writeNumber(b.bytes[at:at+digits], group)
	}
}

// end writes when all its alerts end: before now they are resolved.
func (b *body) end(at time.Time) {
	text := []byte(at.UTC().Format(timeForm))
	for _, place := range b.ends {
		copy(b.bytes[place:], text)
	}
}

func writeNumber(dst []byte, n int) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}

// serviceOf is the label service of a group's alerts.
func serviceOf(group int) string { return fmt.Sprintf("service-%0*d", digits, group) }

// frame puts the HTTP/1.1 request around the body: head and body in one slice,
// so that one write sends both. The body goes on being written in place.
func (b *body) frame(addr string) []byte {
	head := fmt.Sprintf("POST /api/v2/alerts HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", addr, len(b.bytes))
	var whole bytes.Buffer
	whole.Grow(len(head) + len(b.bytes))
	whole.WriteString(head)
	whole.Write(b.bytes)
	out := whole.Bytes()
	b.bytes = out[len(head):]
	return out
}
