package incidents

// Document is a setting: a small lasting document under a name, which every replica sees
// alike. Version counts its changes from 1; 0: it was never written.
type Document struct {
	Name    string
	Version int64
	Body    []byte
}

// MaxSetting bounds a setting's body, in bytes: it is read before every run, and
// a store sends it whole.
const MaxSetting = 64 << 10

// CheckSetting refuses what no store may keep.
func CheckSetting(name string, expect int64, body []byte) error {
	switch {
	case name == "" || expect < 0:
		return Fail(Invalid, "error.setting", "a setting needs a name, and a version that can be")
	case len(body) > MaxSetting:
		return Fail(TooLarge, "error.setting_large", "a setting has at most 64 KiB")
	}
	return nil
}
