// Package ssh carries out ssh steps: an argv on another host, without a terminal,
// an agent or forwarding.
//
// It promises that a step reaches only hosts of the inventory ([Inventory]), as
// the user and with the key that stand there; that a host which shows another key
// than the one it is pinned to gets nothing from us, not even a login; that the
// remote shell reads each argument byte for byte as it was approved ([Quote]);
// and that a step ends within its time, with everything of its process group
// there as far as that host still listens. Where the connection ends before the
// program does, nobody knows what became of it, and the result says so: it is
// neither a pass nor "down".
//
// Start with [New] and [ReadInventory].
package ssh
