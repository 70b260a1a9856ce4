// Package config reads hikeshi.yaml, the HIKESHI_* variables and the flags, and
// makes of them what the other packages want.
//
// It promises: all mistakes are told at once, each with its file, line and key
// and with what to do about it; what Settle returns has been checked by the
// packages it is for; and a secret never shows itself, however it is printed.
// Only main imports it: the packages take their own Config or Options.
//
// Start with Config, whose tags are the keys, and Config.Settle.
package config
