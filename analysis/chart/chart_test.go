package chart

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestDraw(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).Unix()
	var points []Point
	for i := range 180 {
		v := 100 + 8*math.Sin(float64(i)/7)
		if i > 122 {
			v *= 3.4
		}
		if i > 40 && i < 55 {
			v = math.NaN()
		}
		points = append(points, Point{start + int64(i)*60, v})
	}
	for name, in := range map[string][]Point{"usual": points, "one": points[:1], "none": nil, "wild": {{math.MinInt64, 1}, {math.MaxInt64, -1e299}, {0, math.Inf(1)}}} {
		b, err := Draw(in, Options{Title: "http_request_seconds web-1", Alert: start + 125*60})
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil || img.Bounds().Dx() != width {
			t.Fatalf("%s: no picture: %v", name, err)
		}
		found := map[color.RGBA]bool{}
		for x := range width {
			for y := range height {
				found[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)] = true
			}
		}
		if found[blue] != (in != nil) || name == "usual" && !found[orange] {
			t.Errorf("%s: line %v, mark %v", name, found[blue], found[orange])
		}
		if out := os.Getenv("CHART_OUT"); out != "" && name == "usual" {
			_ = os.WriteFile(out, b, 0o600)
		}
	}
}

func TestMarksAreRoundNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, high float64
		whole     bool
		want      string
	}{
		{0, 2, true, "0 1 2"},
		{0, 1, true, "0 1"},
		{9, 11, true, "9 10 11"},
		{0, 3.4, false, "0 1 2 3"},
		{0, 1.7, false, "0.0 0.5 1.0 1.5"},
		{0, 0.042, false, "0.00 0.01 0.02 0.03 0.04"},
		{0, 365, false, "0 100 200 300"},
		{-3, 7, true, "-2 0 2 4 6"},
		{92, 340, true, "100 150 200 250 300"},
	} {
		values, decimals := marks(c.low, c.high, c.whole)
		var words []string
		for _, v := range values {
			words = append(words, strconv.FormatFloat(v, 'f', decimals, 64))
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
	for _, c := range [][2]float64{{1e17, 1e17 + 16}, {-1e299, 1}, {0, 5e-324}, {-1e300, 1e300}} {
		if values, _ := marks(c[0], c[1], false); len(values) > mostMarks {
			t.Errorf("%v: %v", c, values)
		}
	}
}
