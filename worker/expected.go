package worker

import (
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// expected is the maintenance that all firing alerts belong to, the one that ends last;
// none where one of them belongs to none, or none fires.
func (f *Folder) expected(alerts []incidents.Alert) (e incidents.Expected) {
	if f.awaits == nil {
		return e
	}
	now := f.now()
	for i := range alerts {
		if alerts[i].Resolved {
			continue
		}
		one := f.awaits(&alerts[i], now)
		if one.By == "" {
			return incidents.Expected{}
		}
		if one.Until.After(e.Until) {
			e = one
		}
	}
	return e
}

func firing(alerts []incidents.Alert) bool {
	return slices.ContainsFunc(alerts, func(a incidents.Alert) bool { return !a.Resolved })
}
