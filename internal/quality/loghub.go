package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/analysis/logs"
)

// measureLoghub scores the templates of logs. GA is the share of lines whose
// group is exactly the true one, FGA the F1 over groups (Jiang et al., ISSTA
// 2024). The average is over systems, every one with the product's defaults.
func measureLoghub(ctx context.Context, data fs.FS, _ io.Writer) ([]Result, error) {
	files, err := fs.Glob(data, "loghub2k/*/*_structured.csv")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("loghub2k: %w", fs.ErrNotExist)
	}
	var all, one []Result
	var sumGA, sumFGA float64
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lines, truth, err := readLoghub(data, name)
		if err != nil {
			return nil, err
		}
		ga, fga := groupAccuracy(templatesOf(lines), truth)
		system := path.Base(path.Dir(name))
		one = append(one, Result{"loghub/" + system + "/ga", ga}, Result{"loghub/" + system + "/fga", fga})
		sumGA, sumFGA = sumGA+ga, sumFGA+fga
	}
	n := float64(len(files))
	all = append(all, Result{"loghub/ga", sumGA / n}, Result{"loghub/fga", sumFGA / n})
	return append(all, one...), nil
}

// templatesOf reads the lines once and says which group each ended up in.
func templatesOf(lines []string) []string {
	m := logs.NewMiner(logs.DefaultLimits())
	ids := make([]int, len(lines))
	for i, line := range lines {
		ids[i] = m.Add([]byte(line)).ID
	}
	groups := make([]string, len(lines))
	for i, id := range ids {
		groups[i] = fmt.Sprint(m.Root(id))
	}
	return groups
}

func readLoghub(data fs.FS, name string) (lines, truth []string, err error) {
	f, err := data.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("open: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	content, event := slices.Index(rows[0], "Content"), slices.Index(rows[0], "EventId")
	if content < 0 || event < 0 {
		return nil, nil, fmt.Errorf("%s has no Content or no EventId: %s", name, strings.Join(rows[0], ","))
	}
	for _, row := range rows[1:] {
		lines, truth = append(lines, row[content]), append(truth, row[event])
	}
	return lines, truth, nil
}

// groupAccuracy is GA and FGA of a grouping against the true one.
func groupAccuracy(got, truth []string) (ga, fga float64) {
	if len(got) == 0 {
		return 0, 0
	}
	sizeGot, sizeTrue, both := map[string]int{}, map[string]int{}, map[[2]string]int{}
	for i := range got {
		sizeGot[got[i]]++
		sizeTrue[truth[i]]++
		both[[2]string{got[i], truth[i]}]++
	}
	lines, groups := 0, 0
	for pair, n := range both {
		if n == sizeGot[pair[0]] && n == sizeTrue[pair[1]] {
			lines, groups = lines+n, groups+1
		}
	}
	if groups > 0 {
		precision := float64(groups) / float64(len(sizeGot))
		recall := float64(groups) / float64(len(sizeTrue))
		fga = 2 * precision * recall / (precision + recall)
	}
	return float64(lines) / float64(len(got)), fga
}
