package chart

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"os"
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
