package local

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// killTree kills a process and all that descend from it. The tree rather than a process group: a command stays in the
// group of its plugin, as with the official provider, so that the engine ends what a command left behind.
func killTree(root int) error {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		content, err := os.ReadFile(stat)
		if err != nil {
			continue
		}
		// proc(5): pid (name) state ppid …, and the name may hold spaces and brackets.
		fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	err := syscall.Kill(root, syscall.SIGKILL)
	for queue := children[root]; len(queue) > 0; queue = queue[1:] {
		queue = append(queue, children[queue[0]]...)
		_ = syscall.Kill(queue[0], syscall.SIGKILL)
	}
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
