//go:build !unix

package runbooks

const openFlags = 0
