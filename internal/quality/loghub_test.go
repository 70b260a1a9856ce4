package main

import (
	"testing"
	"testing/fstest"
)

func TestGroupAccuracy(t *testing.T) {
	t.Parallel()
	// Groups: {0,1} right, {2,3,4} is two true ones together.
	ga, fga := groupAccuracy([]string{"a", "a", "b", "b", "b"}, []string{"x", "x", "y", "y", "z"})
	if ga != .4 || fga != .4 { // precision 1/2, recall 1/3
		t.Errorf("GA %v, FGA %v, want .4, .4", ga, fga)
	}
}

func TestLoghubIsRead(t *testing.T) {
	t.Parallel()
	data := fstest.MapFS{"loghub2k/Shop/Shop_2k.log_structured.csv": {Data: []byte(
		"LineId,Content,EventId\n1,took 3 ms,E1\n2,\"took 4 ms\",E1\n3,out of stock,E2\n")}}
	got, err := measureLoghub(t.Context(), data, nil)
	if err != nil || len(got) != 4 || got[0] != (Result{"loghub/ga", 1}) || got[3] != (Result{"loghub/Shop/fga", 1}) {
		t.Errorf("%v, %v", got, err)
	}
}
