package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/google/shlex"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// A program exits with it once it has told its user what is wrong.
const alreadyExplained = 32

// options are what Pulumi.yaml says under runtime.options: arguments for node, and the environment of the SDK.
func options(given *structpb.Struct) (nodeArgs, env []string, err error) {
	typescript, tsconfig, arguments := true, "", ""
	for name, value := range given.AsMap() {
		ok := true
		switch name {
		case "typescript":
			typescript, ok = value.(bool)
		case "tsconfig":
			tsconfig, ok = value.(string)
		case "nodeargs":
			arguments, ok = value.(string)
		}
		if !ok {
			return nil, nil, fmt.Errorf("Pulumi.yaml, runtime.options.%s: %v is of the wrong type", name, value)
		}
	}
	if typescript {
		env = append(env, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if tsconfig != "" {
		env = append(env, "PULUMI_NODEJS_TSCONFIG_PATH="+tsconfig)
	}
	nodeArgs, err = shlex.Split(arguments)
	return nodeArgs, env, err
}

// entry finds the SDK's script as the program itself would.
func entry(ctx context.Context, script, directory string) (string, error) {
	if path := os.Getenv("PULUMI_LANGUAGE_NODEJS_RUN_PATH"); path != "" {
		script = path
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "node", "-p", fmt.Sprintf("require.resolve(%q)", script))
	cmd.Dir, cmd.Stderr = directory, &stderr
	path, err := cmd.Output()
	if strings.Contains(stderr.String(), "MODULE_NOT_FOUND") {
		return "", errors.New("It looks like the Pulumi SDK has not been installed. Have you run pulumi install?")
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return strings.TrimSpace(string(path)), nil
}

// configuration spells keys as all versions of the SDK read them: project:config:name.
func configuration(given map[string]string) (string, error) {
	spelled := map[string]string{}
	for key, value := range given {
		parsed, err := config.ParseKey(key)
		if err != nil {
			return "", err
		}
		spelled[parsed.Namespace()+":config:"+parsed.Name()] = value
	}
	text, err := json.Marshal(spelled)
	return string(text), err
}

// Run starts the program and waits for it.
func (h *languageHost) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	failed := func(err error) (*pulumirpc.RunResponse, error) {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	args, env, err := options(req.Info.Options)
	if err != nil {
		return failed(err)
	}
	script, err := entry(ctx, "@pulumi/pulumi/cmd/run", req.Info.ProgramDirectory)
	if err != nil {
		return failed(err)
	}
	settings, err := configuration(req.Config)
	if err != nil {
		return failed(err)
	}
	secretKeys, err := json.Marshal(append([]string{}, req.ConfigSecretKeys...))
	if err != nil {
		return failed(err)
	}
	env = append(env, "PULUMI_CONFIG="+settings, "PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys))
	cmd := exec.CommandContext(ctx, "node", append(append(args, script), h.arguments(req)...)...)
	cmd.Env = append(os.Environ(), env...)
	// Wrapped, as node can leave a file that it was given directly in non-blocking mode.
	cmd.Stdout, cmd.Stderr = struct{ io.Writer }{os.Stdout}, struct{ io.Writer }{os.Stderr}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == alreadyExplained {
		return &pulumirpc.RunResponse{Bail: true}, nil
	}
	if exit != nil {
		return failed(fmt.Errorf("Program exited with non-zero exit code: %d", exit.ExitCode()))
	}
	if err != nil {
		return failed(fmt.Errorf("Problem executing program (could not run language executor): %w", err))
	}
	return &pulumirpc.RunResponse{}, nil
}

func (h *languageHost) arguments(req *pulumirpc.RunRequest) []string {
	var args []string
	for _, option := range [][2]string{
		{"monitor", req.MonitorAddress},
		{"engine", h.engine},
		{"organization", req.Organization},
		{"project", req.Project},
		{"root-directory", req.Info.RootDirectory},
		{"stack", req.Stack},
		{"pwd", req.Info.ProgramDirectory},
		{"parallel", strconv.Itoa(int(req.Parallel))},
	} {
		if option[1] != "" {
			args = append(args, "--"+option[0], option[1])
		}
	}
	if req.DryRun {
		args = append(args, "--dry-run")
	}
	return append(append(args, req.Info.EntryPoint), req.Args...)
}

// RunPlugin starts a plugin that is written for Node.js.
func (h *languageHost) RunPlugin(
	req *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer closer.Close()
	nodeArgs, env, err := options(req.Info.Options)
	if err != nil {
		return err
	}
	script, err := entry(server.Context(), "@pulumi/pulumi/cmd/run-plugin", req.Info.ProgramDirectory)
	if err != nil {
		return err
	}
	args := append(append([]string{script}, nodeArgs...), req.Info.ProgramDirectory)
	cmd := exec.CommandContext(server.Context(), "node", append(args, req.Args...)...)
	cmd.Dir, cmd.Env = req.Pwd, append(req.Env, env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("plugin %s: %w", req.Name, err)
	}
	return closer.Close()
}
