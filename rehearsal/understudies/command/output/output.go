// Package output is what the local and the remote command have in common: their lifecycle inputs, and where what they
// print goes.
package output

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Lifecycle has the inputs that decide what runs when.
type Lifecycle struct {
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`
}

// OnUpdate is the command for changed inputs: update, or create where there is none, or nil.
func (l Lifecycle) OnUpdate() *string {
	if l.Update != nil {
		return l.Update
	}
	return l.Create
}

// Previous gives the variables that tell a command what the one before it printed.
func Previous(wanted *bool, stdout, stderr string) map[string]string {
	env := map[string]string{}
	if wanted != nil && !*wanted {
		return env
	}
	if stdout != "" {
		env["PULUMI_COMMAND_STDOUT"] = stdout
	}
	if stderr != "" {
		env["PULUMI_COMMAND_STDERR"] = stderr
	}
	return env
}

// Logging says which streams become the engine's log lines. Both do unless told otherwise.
type Logging string

// Values are the names that the schema knows.
func (Logging) Values() []infer.EnumValue[Logging] {
	values := []infer.EnumValue[Logging]{}
	for _, name := range []string{"stdout", "stderr", "stdoutAndStderr", "none"} {
		values = append(values, infer.EnumValue[Logging]{Name: name, Value: Logging(name)})
	}
	return values
}

func (l *Logging) logs(stream Logging) bool {
	return l == nil || *l == "stdoutAndStderr" || *l == stream
}

// Capture collects both streams of one command and logs them line by line as they come.
type Capture struct {
	stdout, stderr, both bytes.Buffer

	mu      sync.Mutex
	lines   *io.PipeWriter
	logged  chan error
	logging *Logging
}

// NewCapture starts a capture. Its Close must be called once the command has ended.
func NewCapture(ctx context.Context, logging *Logging) *Capture {
	reader, writer := io.Pipe()
	c := &Capture{lines: writer, logged: make(chan error, 1), logging: logging}
	go func() {
		scanner := bufio.NewScanner(reader)
		for scanner.Scan() {
			p.GetLogger(ctx).InfoStatus(scanner.Text())
		}
		err := scanner.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("a logged line of more than %d bytes: the official provider hangs on it; "+
				"print shorter lines, or set `logging`", bufio.MaxScanTokenSize)
		}
		_ = reader.CloseWithError(err)
		c.logged <- err
	}()
	return c
}

type stream struct {
	capture *Capture
	own     *bytes.Buffer
	logs    bool
}

func (s stream) Write(bytes []byte) (int, error) {
	s.capture.mu.Lock()
	s.own.Write(bytes)
	s.capture.both.Write(bytes)
	s.capture.mu.Unlock()
	if s.logs {
		return s.capture.lines.Write(bytes)
	}
	return len(bytes), nil
}

// Stdout takes the command's standard output.
func (c *Capture) Stdout() io.Writer { return stream{c, &c.stdout, c.logging.logs("stdout")} }

// Stderr takes the command's standard error.
func (c *Capture) Stderr() io.Writer { return stream{c, &c.stderr, c.logging.logs("stderr")} }

// Close ends the logging and gives what was printed, each without its last line end. A failure, of the command or of
// the logging, is returned with everything that the command printed.
func (c *Capture) Close(command string, failure error) (stdout, stderr string, err error) {
	_ = c.lines.Close()
	if logFailure := <-c.logged; logFailure != nil {
		failure = logFailure
	}
	if failure != nil {
		return "", "", fmt.Errorf("%w: running %q:\n%s", failure, command, c.both.String())
	}
	return strings.TrimSuffix(c.stdout.String(), "\n"), strings.TrimSuffix(c.stderr.String(), "\n"), nil
}
