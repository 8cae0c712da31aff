package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// engine is a Docker Engine, by its API (docs.docker.com/reference/api/engine). Paths have no version: it takes its own.
type engine struct {
	base   string
	client *http.Client
}

const defaultHost = "unix:///var/run/docker.sock"

// findEngine looks for an engine that answers: the one that is named, else the machine's or the user's.
func findEngine(ctx context.Context, host string) (*engine, error) {
	hosts := []string{host}
	if host == "" {
		hosts = []string{defaultHost}
		if home, err := os.UserHomeDir(); err == nil {
			hosts = append(hosts, "unix://"+home+"/.docker/run/docker.sock", "unix://"+home+"/.docker/desktop/docker.sock")
		}
	}
	for _, one := range hosts {
		found, err := newEngine(one)
		if err != nil {
			return nil, err
		}
		if answer, err := found.call(ctx, http.MethodGet, "/_ping", nil, nil); err == nil {
			_ = answer.Close()
			return found, nil
		}
	}
	return nil, errors.New("failed to connect to any docker daemon")
}

func newEngine(host string) (*engine, error) {
	scheme, address, _ := strings.Cut(host, "://")
	switch scheme {
	case "unix":
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", address)
		}
		return &engine{"http://docker", &http.Client{Transport: &http.Transport{DialContext: dial}}}, nil
	case "tcp", "http":
		return &engine{"http://" + address, &http.Client{Transport: &http.Transport{}}}, nil
	}
	return nil, fmt.Errorf("unable to parse docker host %q: rehearsals know unix:// and tcp://", host)
}

// call gives the answer's body, or what the engine says is wrong.
func (e *engine) call(
	ctx context.Context, method, path string, header http.Header, body io.Reader,
) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, e.base+path, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode < http.StatusBadRequest {
		return answer.Body, nil
	}
	defer func() { _ = answer.Body.Close() }()
	var said struct {
		Message string `json:"message"`
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if json.Unmarshal(text, &said) != nil || said.Message == "" {
		said.Message = answer.Status
	}
	return nil, fmt.Errorf("Error response from daemon: %s", said.Message) //nolint:staticcheck // The engine's client says it so.
}

type auth struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	ServerAddress string `json:"serveraddress"`
}

func authOf(inputs Inputs) auth {
	server, _, _ := strings.Cut(inputs.ImageName, "/")
	if inputs.Registry == nil {
		return auth{ServerAddress: server}
	}
	given := inputs.Registry
	return auth{*orElse(given.Username, ""), *orElse(given.Password, ""), *orElse(given.Server, server)}
}

func encode(value any) string { return base64.URLEncoding.EncodeToString([]byte(asText(value))) }

// build makes the image under its name. @returns its id
func (e *engine) build(ctx context.Context, inputs Inputs, dockerfile string, log func(string)) (string, error) {
	build := inputs.Build
	query := url.Values{"t": {inputs.ImageName}, "dockerfile": {dockerfile}, "platform": {*build.Platform}}
	if build.Args != nil {
		query.Set("buildargs", asText(*build.Args))
	}
	if build.Target != nil {
		query.Set("target", *build.Target)
	}
	if build.Network != nil {
		query.Set("networkmode", *build.Network)
	}
	if build.AddHosts != nil {
		query["extrahosts"] = *build.AddHosts
	}
	own := authOf(inputs)
	header := http.Header{
		"Content-Type":      {"application/x-tar"},
		"X-Registry-Config": {encode(map[string]auth{own.ServerAddress: own})},
	}
	reader, writer := io.Pipe()
	go func() {
		_ = writer.CloseWithError(writeContext(writer, *build.Context, *build.Dockerfile, dockerfile))
	}()
	body, err := e.call(ctx, http.MethodPost, "/build?"+query.Encode(), header, reader)
	if err != nil {
		return "", fmt.Errorf("error building image: %w", err)
	}
	defer func() { _ = body.Close() }()
	var result struct{ ID string }
	if err := follow(body, log, &result); err != nil {
		return "", fmt.Errorf("error reading build output: %w", err)
	}
	if result.ID == "" {
		return "", errors.New("no image id found in build output")
	}
	return result.ID, nil
}

// push sends the image to its registry. @returns the digest that it has there
func (e *engine) push(ctx context.Context, inputs Inputs, log func(string)) (string, error) {
	repository, tag := splitTag(inputs.ImageName)
	header := http.Header{"X-Registry-Auth": {encode(authOf(inputs))}}
	path := "/images/" + repository + "/push?" + url.Values{"tag": {tag}}.Encode()
	body, err := e.call(ctx, http.MethodPost, path, header, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	var result struct{ Digest string }
	// Docker tells it twice, podman's engine in this line alone; what podman has in its own store isn't what it pushed.
	digest := regexp.MustCompile(`: digest: (sha256:[0-9a-f]{64})`)
	listen := func(line string) {
		if found := digest.FindStringSubmatch(line); found != nil {
			result.Digest = found[1]
		}
		log(line)
	}
	if err := follow(body, listen, &result); err != nil {
		return "", fmt.Errorf("error reading push output: %w", err)
	}
	if result.Digest == "" {
		return "", errors.New("the engine pushed the image and told no digest")
	}
	return result.Digest, nil
}

// follow logs what an operation tells as it goes on, and reads what it tells besides.
func follow(body io.Reader, log func(string), result any) error {
	decoder := json.NewDecoder(body)
	for {
		var message struct {
			Stream, Status string
			Aux            json.RawMessage
			Error          string
			ErrorDetail    *struct {
				Code    int
				Message string
			}
		}
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("error parsing Docker output: %w", err)
		}
		if detail := message.ErrorDetail; detail != nil && detail.Code == http.StatusUnauthorized {
			return errors.New("authentication is required")
		} else if detail != nil && detail.Message != "" {
			return errors.New(detail.Message)
		}
		if message.Error != "" {
			return errors.New(message.Error)
		}
		if message.Aux != nil {
			// Other things come by this way as well.
			_ = json.Unmarshal(message.Aux, result)
		}
		if line := strings.TrimSpace(message.Stream + message.Status); line != "" {
			log(line)
		}
	}
}
