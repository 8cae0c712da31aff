// Package engineguard ends a plugin whose engine is gone.
package engineguard

import (
	"io"
	"os"
	"sync"
)

// The official providers look for their engine every five minutes and then stay all the same, so each killed engine
// leaves processes behind. The engine holds the other end of a plugin's standard input for as long as it lives.

var running sync.WaitGroup

// Working marks an operation that is to end before the process does, as it would in an official provider, which
// outlives its engine. The returned function marks the operation's end.
func Working() (done func()) {
	running.Add(1)
	return running.Done
}

// Watch ends the process once standard input closes and no operation is under way.
func Watch() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		running.Wait()
		os.Exit(0)
	}()
}
