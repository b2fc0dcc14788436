//go:build tools

// Package kubo pins Kubo's command line program, so that go.mod and go.sum name every module it needs.
package kubo

import _ "github.com/ipfs/kubo/cmd/ipfs"
