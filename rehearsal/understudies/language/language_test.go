package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func given(t *testing.T, values map[string]any) *structpb.Struct {
	t.Helper()
	options, err := structpb.NewStruct(values)
	if err != nil {
		t.Fatal(err)
	}
	return options
}

func TestOptionsReachNodeAndTheSdk(t *testing.T) {
	args, env, err := options(given(t, map[string]any{
		"tsconfig": "tsconfig.up.json", "nodeargs": "--title 'two words'", "packagemanager": "npm",
	}))
	wantEnv := []string{"PULUMI_NODEJS_TYPESCRIPT=true", "PULUMI_NODEJS_TSCONFIG_PATH=tsconfig.up.json"}
	if err != nil || !slices.Equal(args, []string{"--title", "two words"}) || !slices.Equal(env, wantEnv) {
		t.Errorf("%q, %q, %v", args, env, err)
	}
	_, env, err = options(given(t, map[string]any{"typescript": false}))
	if err != nil || len(env) != 0 {
		t.Errorf("%q, %v", env, err)
	}
	if _, _, err = options(given(t, map[string]any{"typescript": "no"})); err == nil {
		t.Error("a text was taken for a yes or no")
	}
}

func TestConfigurationIsSpelledForAllSdks(t *testing.T) {
	got, err := configuration(map[string]string{"app:port": "80"})
	if err != nil || got != `{"app:config:port":"80"}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestArgumentsAreThoseOfTheSdk(t *testing.T) {
	host := &languageHost{engine: "engine:1"}
	got := host.arguments(&pulumirpc.RunRequest{
		MonitorAddress: "monitor:1", Project: "p", Stack: "s", Parallel: 8, DryRun: true, Args: []string{"more"},
		Info: &pulumirpc.ProgramInfo{RootDirectory: "/r", ProgramDirectory: "/r/p", EntryPoint: "."},
	})
	want := []string{
		"--monitor", "monitor:1", "--engine", "engine:1", "--project", "p", "--root-directory", "/r", "--stack", "s",
		"--pwd", "/r/p", "--parallel", "8", "--dry-run", ".", "more",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestPluginsOfInstalledPackages(t *testing.T) {
	program := t.TempDir()
	install := func(name, manifest string) {
		folder := filepath.Join(program, "node_modules", name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install("@pulumi/pulumi", `{"name":"@pulumi/pulumi","version":"3.220.0"}`)
	install("@pulumi/random", `{"name":"@pulumi/random","version":"4.18.4","pulumi":{"resource":true}}`)
	install("plain/node_modules/other", `{"name":"other","version":"1.0.0","pulumi":{"resource":true,"name":"o","version":"v2.0.0"}}`)
	install("nameless", `{"name":"nameless","version":"1.0.0","pulumi":{"resource":true}}`)
	install("broken", `{`)
	response, err := (&languageHost{}).GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{
		Info: &pulumirpc.ProgramInfo{ProgramDirectory: program},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, plugin := range response.Packages {
		got[plugin.Name] = plugin.Kind + " " + plugin.Version
	}
	want := map[string]string{"random": "resource v4.18.4", "o": "resource v2.0.0"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
