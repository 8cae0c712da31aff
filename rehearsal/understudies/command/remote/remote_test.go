package remote

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"homeport/understudies/command/output"
)

// server is an SSH server on loopback. A command's output is the variables it was given, the command and its input;
// "fail" fails, and "hang" never ends. Other than commands it serves files and tunnels.
type server struct {
	port     float64
	hostKey  string
	dials    atomic.Int32
	refusals int32
	sessions atomic.Int32
}

func key(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	must(t, err)
	return signer, string(pem.EncodeToMemory(block))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, user ssh.PublicKey, refusals int32) *server {
	t.Helper()
	host, _ := key(t)
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, given ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(given.Marshal(), user.Marshal()) {
				return nil, errors.New("another key")
			}
			return &ssh.Permissions{}, nil
		},
	}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	s := &server{
		port:     float64(listener.Addr().(*net.TCPAddr).Port),
		hostKey:  string(ssh.MarshalAuthorizedKey(host.PublicKey())),
		refusals: refusals,
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if s.dials.Add(1) <= s.refusals {
				_ = conn.Close()
				continue
			}
			go s.serve(conn, config)
		}
	}()
	return s
}

func (s *server) serve(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		if offered.ChannelType() == "direct-tcpip" {
			go tunnel(offered)
			continue
		}
		channel, requests, err := offered.Accept()
		if err == nil {
			s.sessions.Add(1)
			go func() {
				session(channel, requests)
				s.sessions.Add(-1)
			}()
		}
	}
}

func tunnel(offered ssh.NewChannel) {
	var to struct {
		Host string
		Port uint32
		From string
		At   uint32
	}
	_ = ssh.Unmarshal(offered.ExtraData(), &to)
	conn, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		_ = offered.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, _ := offered.Accept()
	go ssh.DiscardRequests(requests)
	go func() { _, _ = io.Copy(channel, conn) }()
	_, _ = io.Copy(conn, channel)
	_ = conn.Close()
}

func session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	var printed strings.Builder
	for request := range requests {
		var words struct{ First, Second string }
		switch request.Type {
		case "env":
			_ = ssh.Unmarshal(request.Payload, &words)
			fmt.Fprintf(&printed, "%s=%s\n", words.First, words.Second)
			_ = request.Reply(!strings.HasPrefix(words.First, "REFUSED"), nil)
		case "subsystem":
			_ = request.Reply(true, nil)
			if files, err := sftp.NewServer(channel); err == nil {
				_ = files.Serve()
			}
			return
		case "exec":
			command := string(request.Payload[4:])
			_ = request.Reply(true, nil)
			if command == "hang" {
				for range requests {
				}
				return
			}
			input, _ := io.ReadAll(channel)
			fmt.Fprintf(channel, "%s%s<%s\n", printed.String(), command, input)
			fmt.Fprintln(channel.Stderr(), "complaint")
			status := byte(0)
			if command == "fail" {
				status = 3
			}
			_, _ = channel.SendRequest("exit-status", false, []byte{0, 0, 0, status})
			return
		}
	}
}

func pointer[T any](value T) *T { return &value }

func (s *server) endpoint(privateKey string) Endpoint {
	return Endpoint{
		User: pointer("root"), Host: pointer("127.0.0.1"), Port: &s.port, PrivateKey: &privateKey,
		DialErrorLimit: pointer(10), PerDialTimeout: pointer(5), HostKey: &s.hostKey,
	}
}

func create(ctx context.Context, c *Connection, command, stdin string, env map[string]string) (CommandOutputs, error) {
	response, err := (&Command{}).Create(ctx, infer.CreateRequest[CommandInputs]{Name: "x", Inputs: CommandInputs{
		Lifecycle: output.Lifecycle{Create: &command}, Connection: c, Stdin: &stdin, Environment: env,
	}})
	return response.Output, err
}

func TestCommand(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	signer, private := key(t)
	ctx := t.Context()

	t.Run("runs with its input and environment, and tells an update what it printed", func(t *testing.T) {
		host := start(t, signer.PublicKey(), 0)
		state, err := create(ctx, &Connection{Endpoint: host.endpoint(private)}, "make", "in", map[string]string{"A": "b"})
		must(t, err)
		if state.Stdout != "A=b\nmake<in" || state.Stderr != "complaint" {
			t.Errorf("got %q and %q", state.Stdout, state.Stderr)
		}
		state.Environment, state.Stderr = nil, ""
		updated, err := (&Command{}).Update(ctx, infer.UpdateRequest[CommandInputs, CommandOutputs]{
			Inputs: state.CommandInputs, State: state,
		})
		must(t, err)
		if want := "PULUMI_COMMAND_STDOUT=A=b\nmake<in\nmake<in"; updated.Output.Stdout != want {
			t.Errorf("got %q, want %q", updated.Output.Stdout, want)
		}
	})

	t.Run("previews without a connection", func(t *testing.T) {
		request := infer.CreateRequest[CommandInputs]{Name: "x", DryRun: true}
		request.Inputs.Create = pointer("make")
		_, err := (&Command{}).Create(ctx, request)
		must(t, err)
	})

	t.Run("fails with the status and all that was printed", func(t *testing.T) {
		host := start(t, signer.PublicKey(), 0)
		_, err := create(ctx, &Connection{Endpoint: host.endpoint(private)}, "fail", "", nil)
		if err == nil || !strings.Contains(err.Error(), "status 3") || !strings.Contains(err.Error(), "fail<") ||
			!strings.Contains(err.Error(), "complaint") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("fails where the server refuses a variable", func(t *testing.T) {
		host := start(t, signer.PublicKey(), 0)
		refused := map[string]string{"REFUSED": "1"}
		_, err := create(ctx, &Connection{Endpoint: host.endpoint(private)}, "make", "", refused)
		if err == nil || !strings.Contains(err.Error(), `could not set environment variable "REFUSED"`) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("goes through a proxy", func(t *testing.T) {
		host, proxy := start(t, signer.PublicKey(), 0), start(t, signer.PublicKey(), 1)
		connection := &Connection{Endpoint: host.endpoint(private), Proxy: &ProxyConnection{proxy.endpoint(private)}}
		_, err := create(ctx, connection, "make", "", nil)
		must(t, err)
		if host.dials.Load() != 1 || proxy.dials.Load() != 2 {
			t.Errorf("%d dials of the host and %d of the proxy", host.dials.Load(), proxy.dials.Load())
		}
	})

	t.Run("ends with its context", func(t *testing.T) {
		host := start(t, signer.PublicKey(), 0)
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := create(ctx, &Connection{Endpoint: host.endpoint(private)}, "hang", "", nil); err == nil {
			t.Error("it succeeded")
		}
	})
}

func TestDial(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	signer, private := key(t)
	ctx := t.Context()
	run := func(connection *Connection) error {
		_, err := create(ctx, connection, "make", "", nil)
		return err
	}

	t.Run("is tried again until it succeeds", func(t *testing.T) {
		host := start(t, signer.PublicKey(), 3)
		must(t, run(&Connection{Endpoint: host.endpoint(private)}))
		if host.dials.Load() != 4 {
			t.Errorf("%d dials", host.dials.Load())
		}
	})

	t.Run("fails once more dials failed than allowed", func(t *testing.T) {
		host := start(t, signer.PublicKey(), 100)
		connection := &Connection{Endpoint: host.endpoint(private)}
		connection.DialErrorLimit = pointer(2)
		err := run(connection)
		if err == nil || !strings.HasPrefix(err.Error(), "after 2 failed attempts: ") || host.dials.Load() != 3 {
			t.Errorf("after %d dials: %v", host.dials.Load(), err)
		}
	})

	t.Run("refuses a host with another key, and a key that the host doesn't know", func(t *testing.T) {
		host, other := start(t, signer.PublicKey(), 0), start(t, signer.PublicKey(), 0)
		connection := &Connection{Endpoint: host.endpoint(private)}
		connection.DialErrorLimit, connection.HostKey = pointer(0), &other.hostKey
		if err := run(connection); err == nil || !strings.Contains(err.Error(), "host key") {
			t.Errorf("got %v", err)
		}
		_, unknown := key(t)
		connection.HostKey, connection.PrivateKey = &host.hostKey, &unknown
		if err := run(connection); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCopyToRemote(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	signer, private := key(t)
	host := start(t, signer.PublicKey(), 0)
	from, to := t.TempDir(), t.TempDir()
	must(t, os.MkdirAll(filepath.Join(from, "tree", "deep"), 0o755))
	must(t, os.WriteFile(filepath.Join(from, "tree", "deep", "leaf"), []byte("leaf"), 0o600))
	copied := func(source types.AssetOrArchive, path string) error {
		_, err := (&CopyToRemote{}).Create(t.Context(), infer.CreateRequest[CopyToRemoteInputs]{
			Inputs: CopyToRemoteInputs{
				Connection: &Connection{Endpoint: host.endpoint(private)}, Source: source, RemotePath: filepath.Join(to, path),
			},
		})
		return err
	}
	archive := func(path string) types.AssetOrArchive {
		return types.AssetOrArchive{Archive: &resource.Archive{Path: path}}
	}
	file := types.AssetOrArchive{Asset: &resource.Asset{Path: filepath.Join(from, "tree", "deep", "leaf")}}
	must(t, copied(file, "new/name"))
	must(t, copied(file, "new"))
	must(t, copied(types.AssetOrArchive{Asset: &resource.Asset{Text: "text", Sig: resource.AssetSig, Hash: "x"}}, "text/file"))
	must(t, copied(archive(filepath.Join(from, "tree")), "with"))
	must(t, copied(archive(filepath.Join(from, "tree")+"/"), "without"))
	for path, want := range map[string]string{
		"new/name": "leaf", "new/leaf": "leaf", "text/file": "text", "with/tree/deep/leaf": "leaf", "without/deep/leaf": "leaf",
	} {
		got, err := os.ReadFile(filepath.Join(to, path))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if err := copied(archive(filepath.Join(from, "tree")), "new/name"); err == nil {
		t.Error("a folder was copied onto a file")
	}
}
