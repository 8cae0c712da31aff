package main

import (
	"archive/tar"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// contextOf writes files below a new folder and goes there, as contexts are relative.
func contextOf(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func digestOf(t *testing.T) string {
	t.Helper()
	digest, err := contextDigest("app", "app/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestTheContextsDigest(t *testing.T) {
	for name, test := range map[string]struct {
		change  func() error
		changes bool
	}{
		"another content":          {func() error { return os.WriteFile("app/main", []byte("two"), 0o600) }, true},
		"another mode":             {func() error { return os.Chmod("app/main", 0o700) }, true}, //nolint:gosec // A program.
		"another name":             {func() error { return os.Rename("app/main", "app/other") }, true},
		"a file that is left out":  {func() error { return os.WriteFile("app/logs/a", []byte("b"), 0o600) }, false},
		"one that is taken in":     {func() error { return os.WriteFile("app/logs/keep", []byte("b"), 0o600) }, true},
		"another place to read it": {func() error { return os.Rename("app", "elsewhere") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			contextOf(t, map[string]string{
				"app/Dockerfile": "FROM scratch", "app/main": "one", "app/logs/keep": "a",
				"app/.dockerignore": "logs\n!logs/keep\n",
			})
			before := digestOf(t)
			if err := test.change(); err != nil {
				t.Fatal(err)
			}
			folder := "app"
			if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
				folder = "elsewhere"
			}
			after, err := contextDigest(folder, folder+"/Dockerfile")
			if err != nil || (after != before) != test.changes {
				t.Fatalf("%s after %s (%v)", after, before, err)
			}
		})
	}
}

func TestOnlyTheServerOfARegistryCounts(t *testing.T) {
	text := func(value string) *string { return &value }
	registry := func(server, password string) *Registry {
		return &Registry{Server: text(server), Username: text("x"), Password: text(password)}
	}
	old := Inputs{ImageName: "r.example.com/a:b", Registry: registry("r.example.com", "one")}
	for name, test := range map[string]struct {
		current Inputs
		want    []string
	}{
		"another password": {Inputs{ImageName: old.ImageName, Registry: registry("r.example.com", "two")}, []string{}},
		"another server":   {Inputs{ImageName: old.ImageName, Registry: registry("s.example.com", "one")}, []string{"registry"}},
		"another name":     {Inputs{ImageName: "r.example.com/a:c", Registry: old.Registry}, []string{"imageName"}},
		"another build": {
			Inputs{ImageName: old.ImageName, Registry: old.Registry, Build: &Build{ContextDigest: text("d")}},
			[]string{"build"},
		},
	} {
		if got := changedInputs(old, test.current); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// fakeEngine answers builds and pushes with these lines, and remembers what came.
type fakeEngine struct {
	answers map[string]string
	files   []string
	auth    string
	queries map[string]string
}

func (f *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.queries[r.URL.Path] = r.URL.RawQuery
	if r.URL.Path == "/build" {
		archive := tar.NewReader(r.Body)
		for {
			header, err := archive.Next()
			if err != nil {
				break
			}
			f.files = append(f.files, header.Name)
		}
	}
	f.auth = r.Header.Get("X-Registry-Auth")
	if answer, ok := f.answers[r.URL.Path]; ok {
		_, _ = io.WriteString(w, answer)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"message":"no such thing"}`)
}

func open(t *testing.T, answers map[string]string) (*fakeEngine, *engine) {
	t.Helper()
	fake := &fakeEngine{answers: answers, queries: map[string]string{}}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	found, err := findEngine(context.Background(), strings.Replace(server.URL, "http://", "tcp://", 1))
	if err != nil {
		t.Fatal(err)
	}
	return fake, found
}

func inputs() Inputs {
	text := func(value string) *string { return &value }
	return Inputs{
		ImageName: "registry.example.com/shop:web",
		Build:     &Build{Context: text("app"), Dockerfile: text("app/Dockerfile"), Platform: text("linux/amd64")},
		Registry:  &Registry{Server: text("registry.example.com"), Username: text("x"), Password: text("secret")},
	}
}

const ping = "/_ping"

func TestABuildSendsWhatIsntLeftOut(t *testing.T) {
	contextOf(t, map[string]string{
		"app/Dockerfile": "FROM scratch", "app/main": "one", "app/notes": "a", "app/.dockerignore": "notes\nDockerfile\n",
	})
	lines := []string{}
	fake, found := open(t, map[string]string{
		ping:     "OK",
		"/build": `{"stream":"STEP 1/1\n"}` + "\n" + `{"aux":{"ID":"sha256:1"}}` + "\n",
	})
	id, err := found.build(context.Background(), inputs(), "Dockerfile", func(line string) { lines = append(lines, line) })
	if err != nil || id != "sha256:1" {
		t.Fatalf("%s (%v)", id, err)
	}
	slices.Sort(fake.files)
	if want := []string{".dockerignore", "Dockerfile", "main"}; !slices.Equal(fake.files, want) {
		t.Errorf("%v", fake.files)
	}
	if !slices.Equal(lines, []string{"STEP 1/1"}) {
		t.Errorf("%v", lines)
	}
	if query := fake.queries["/build"]; !strings.Contains(query, "platform=linux%2Famd64") {
		t.Error(query)
	}
}

func TestAFailureIsToldAsTheEngineDoes(t *testing.T) {
	contextOf(t, map[string]string{"app/Dockerfile": "FROM scratch"})
	for answer, want := range map[string]string{
		`{"errorDetail":{"message":"exit status 3"},"error":"exit status 3"}`: "error reading build output: exit status 3",
		`{"errorDetail":{"code":401,"message":"no"}}`:                         "error reading build output: authentication is required",
		`{"stream":"done"}`: "no image id found in build output",
	} {
		_, found := open(t, map[string]string{ping: "OK", "/build": answer})
		_, err := found.build(context.Background(), inputs(), "Dockerfile", func(string) {})
		if err == nil || err.Error() != want {
			t.Errorf("%v", err)
		}
	}
	_, found := open(t, map[string]string{ping: "OK"})
	_, err := found.build(context.Background(), inputs(), "Dockerfile", func(string) {})
	if err == nil || err.Error() != "error building image: Error response from daemon: no such thing" {
		t.Errorf("%v", err)
	}
}

func TestAPushTellsTheDigestInTheRegistry(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	for name, answer := range map[string]string{
		"Docker's": `{"aux":{"Tag":"web","Digest":"` + digest + `","Size":1}}`,
		"podman's": `{"status":"web: digest: ` + digest + ` size: 742"}`,
	} {
		fake, found := open(t, map[string]string{ping: "OK", "/images/registry.example.com/shop/push": answer})
		got, err := found.push(context.Background(), inputs(), func(string) {})
		if err != nil || got != digest {
			t.Errorf("%s: %s (%v)", name, got, err)
		}
		text, _ := base64.URLEncoding.DecodeString(fake.auth)
		var who auth
		if json.Unmarshal(text, &who) != nil || who != (auth{"x", "secret", "registry.example.com"}) {
			t.Errorf("%s: %s", name, text)
		}
	}
	_, found := open(t, map[string]string{ping: "OK", "/images/registry.example.com/shop/push": `{"status":"Pushed"}`})
	if _, err := found.push(context.Background(), inputs(), func(string) {}); err == nil {
		t.Error("a push without a digest")
	}
}

func TestNoEngine(t *testing.T) {
	if _, err := findEngine(context.Background(), "tcp://127.0.0.1:1"); err == nil ||
		err.Error() != "failed to connect to any docker daemon" {
		t.Errorf("%v", err)
	}
	if _, err := newEngine("ssh://me@there"); err == nil {
		t.Error("an engine by SSH")
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"registry.fly.io/a:b": true, "localhost/a": true, "10.0.0.1:5000/a": true, "library/a": false, "a": false,
	} {
		if got := checkQualified(name) == nil; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, want := range map[string][2]string{
		"r.io/a:b": {"r.io/a", "b"}, "r.io:5000/a": {"r.io:5000/a", "latest"}, "r.io:5000/a:b": {"r.io:5000/a", "b"},
	} {
		if repository, tag := splitTag(name); [2]string{repository, tag} != want {
			t.Errorf("%s: %s %s", name, repository, tag)
		}
	}
}
