// Package chart draws one series as a small PNG, with the time of the alert
// marked. It is pure: points in, bytes out. The colours are blue and orange of
// Okabe and Ito, which colour-blind eyes tell apart; the mark is also dashed and
// labelled. Start with Draw.
package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Point is a value at a time in Unix seconds.
type Point struct {
	T int64
	V float64
}

// Options of a picture. Title is drawn in ASCII; other letters become "?".
type Options struct {
	Title string
	Alert int64 // Unix seconds; 0 for none
	Zone  *time.Location
}

const (
	width, height             = 640, 240
	left, right, above, below = 64, 12, 38, 24
	gapFactor                 = 3 // times the usual step between points is a gap
)

var (
	blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	orange = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	grey   = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	ink    = color.RGBA{0x22, 0x22, 0x22, 0xff}
)

type canvas struct {
	*image.RGBA
	from, to  int64
	low, high float64
	whole     bool // all values are whole numbers
}

// Draw makes the picture. Values that are no number leave a gap.
func Draw(points []Point, o Options) ([]byte, error) {
	c := canvas{RGBA: image.NewRGBA(image.Rect(0, 0, width, height))}
	draw.Draw(c, c.Bounds(), image.White, image.Point{}, draw.Src)
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	c.text(left, 15, o.Title)
	if !c.scale(points) {
		c.text(left+8, height/2, "no data")
	} else {
		c.axes(o.Zone)
		c.series(points)
		c.alert(o)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, c); err != nil {
		return nil, fmt.Errorf("encode the chart: %w", err)
	}
	return b.Bytes(), nil
}

func usable(v float64) bool { return !math.IsNaN(v) && math.Abs(v) < 1e300 }

// scale finds the ends of both axes; false where there is nothing to draw.
func (c *canvas) scale(points []Point) bool {
	c.from, c.to, c.low, c.high, c.whole = math.MaxInt64, math.MinInt64, math.Inf(1), math.Inf(-1), true
	for _, p := range points {
		if usable(p.V) {
			c.from, c.to = min(c.from, p.T), max(c.to, p.T)
			c.low, c.high = min(c.low, p.V), max(c.high, p.V)
			c.whole = c.whole && p.V == math.Trunc(p.V)
		}
	}
	if c.from > c.to {
		return false
	}
	if c.low > 0 && c.low < c.high/2 {
		c.low = 0 // so that twice as high is twice as much
	}
	if c.low == c.high {
		c.low, c.high = c.low-1, c.high+1
	}
	return true
}

func (c *canvas) at(t int64, v float64) (x, y int) {
	x = left
	if c.to != c.from {
		x += int((float64(t) - float64(c.from)) / (float64(c.to) - float64(c.from)) * (width - left - right))
	}
	return x, height - below - int((v-c.low)/(c.high-c.low)*(height-above-below))
}

func (c *canvas) axes(zone *time.Location) {
	marks, decimals := marks(c.low, c.high, c.whole)
	for _, v := range marks {
		_, y := c.at(c.from, v)
		for x := left; x < width-right; x++ {
			c.Set(x, y, grey)
		}
		label := strconv.FormatFloat(v, 'f', decimals, 64)
		if len(label) > mostLabel {
			label = strconv.FormatFloat(v, 'g', 3, 64)
		}
		c.text(left-6-7*len(label), y+4, label)
	}
	span := float64(c.to) - float64(c.from)
	layout := "15:04"
	switch {
	case span > 2*86400:
		layout = "01-02"
	case span < 10*60:
		layout = "15:04:05"
	}
	for i := range 5 {
		t := c.from + int64(span*float64(i)/4)
		x, _ := c.at(t, c.low)
		c.text(min(max(x-len(layout)*7/2, left), width-right-7*len(layout)), height-8, time.Unix(t, 0).In(zone).Format(layout))
	}
}

const (
	leastMarks = 4
	mostMarks  = 12 // only where the numbers are too large to be told apart
	mostLabel  = 8  // letters that fit beside the axis
)

// marks are round numbers from low to high, and how many decimals tell them apart;
// of whole numbers no parts.
func marks(low, high float64, whole bool) (all []float64, decimals int) {
	unit := math.Pow(10, math.Floor(math.Log10((high-low)/leastMarks)))
	step := unit
	for _, times := range []float64{2, 5, 10} {
		if (high-low)/step > leastMarks+1 {
			step = times * unit
		}
	}
	if whole {
		step = max(step, 1)
	}
	if step == 0 {
		return nil, 0 // too near to each other for any number between
	}
	first := math.Ceil(low / step)
	for i := range mostMarks {
		v := (first + float64(i)) * step
		if v > high {
			break
		}
		all = append(all, v+0) // no minus before a zero
	}
	return all, max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
}

// series draws the line two pixels wide, and leaves gaps open.
func (c *canvas) series(points []Point) {
	step := float64(c.to-c.from) / float64(max(len(points)-1, 1))
	var last *Point
	for i := range points {
		p := &points[i]
		if !usable(p.V) {
			last = nil
			continue
		}
		x, y := c.at(p.T, p.V)
		if last == nil || float64(p.T-last.T) > gapFactor*step {
			c.dot(x, y)
		} else {
			px, py := c.at(last.T, last.V)
			n := max(abs(x-px), abs(y-py), 1)
			for k := range n + 1 {
				c.dot(px+(x-px)*k/n, py+(y-py)*k/n)
			}
		}
		last = p
	}
}

func (c *canvas) dot(x, y int) {
	draw.Draw(c, image.Rect(x, y-1, x+2, y+1), image.NewUniform(blue), image.Point{}, draw.Src)
}

func (c *canvas) alert(o Options) {
	if o.Alert < c.from || o.Alert > c.to {
		return
	}
	x, _ := c.at(o.Alert, c.low)
	for y := above; y < height-below; y++ {
		if y%8 < 5 {
			draw.Draw(c, image.Rect(x, y, x+2, y+1), image.NewUniform(orange), image.Point{}, draw.Src)
		}
	}
	label := "alert " + time.Unix(o.Alert, 0).In(o.Zone).Format("15:04")
	c.text(min(x+5, width-right-7*len(label)), above-5, label)
}

func (c *canvas) text(x, y int, s string) {
	d := font.Drawer{Dst: c, Src: image.NewUniform(ink), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	for _, r := range []rune(s)[:min(len([]rune(s)), (width-left)/7)] {
		if r < 0x20 || r > 0x7e {
			r = '?'
		}
		d.DrawString(string(r))
	}
}

func abs(n int) int { return max(n, -n) }
