package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const sdk = "github.com/pulumi/pulumi/sdk/v3"

type manifest struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Pulumi  struct {
		Resource bool   `json:"resource"`
		Name     string `json:"name"`
		Version  string `json:"version"`
		Server   string `json:"server"`
	} `json:"pulumi"`
}

// dependency is the plugin that a package says it needs, or nil.
func (m manifest) dependency() *pulumirpc.PackageDependency {
	name, official := strings.CutPrefix(m.Name, "@pulumi/")
	if m.Pulumi.Name != "" {
		name, official = m.Pulumi.Name, true
	}
	version := m.Pulumi.Version
	if version == "" {
		version = m.Version
	}
	if !m.Pulumi.Resource || !official || version == "" {
		return nil
	}
	return &pulumirpc.PackageDependency{
		Name: name, Kind: "resource", Version: "v" + strings.TrimPrefix(version, "v"), Server: m.Pulumi.Server,
	}
}

// installed gives the manifests of all packages below a folder's node_modules.
func installed(folder string) []manifest {
	var found []manifest
	for _, pattern := range []string{"node_modules/[^@.]*", "node_modules/@*/*"} {
		packages, _ := filepath.Glob(filepath.Join(folder, pattern))
		for _, dir := range packages {
			var m manifest
			content, err := os.ReadFile(filepath.Join(dir, "package.json"))
			if err == nil && json.Unmarshal(content, &m) == nil {
				found = append(found, m)
			}
			found = append(found, installed(dir)...)
		}
	}
	return found
}

// GetRequiredPackages names the plugins of the packages that the program has installed.
func (h *languageHost) GetRequiredPackages(
	_ context.Context, req *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	response := &pulumirpc.GetRequiredPackagesResponse{}
	for _, m := range installed(req.Info.ProgramDirectory) {
		if dependency := m.dependency(); dependency != nil {
			response.Packages = append(response.Packages, dependency)
		}
	}
	return response, nil
}

// GetProgramDependencies lists the installed packages, for `pulumi about`.
func (h *languageHost) GetProgramDependencies(
	_ context.Context, req *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, m := range installed(req.Info.ProgramDirectory) {
		response.Dependencies = append(response.Dependencies, &pulumirpc.DependencyInfo{Name: m.Name, Version: m.Version})
	}
	return response, nil
}

// GetPluginInfo gives the version of the SDK that the protocol is from.
func (h *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	info := &pulumirpc.PluginInfo{}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == sdk {
				info.Version = strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return info, nil
}

// About tells which node runs the programs.
func (h *languageHost) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, path, "--version").Output()
	return &pulumirpc.AboutResponse{Executable: path, Version: strings.TrimSpace(string(version))}, err
}

// InstallDependencies is what `pulumi install` asks for.
func (h *languageHost) InstallDependencies(
	req *pulumirpc.InstallDependenciesRequest, server pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(server, req.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close()
	cmd := exec.CommandContext(server.Context(), "npm", "install", "--loglevel=error")
	cmd.Dir, cmd.Stdout, cmd.Stderr = req.Info.ProgramDirectory, stdout, stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return closer.Close()
}
