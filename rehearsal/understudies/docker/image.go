package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"homeport/understudies/engineguard"
)

// Image is docker:index/image:Image.
type Image struct{}

// Build says what an image is made of.
type Build struct {
	AddHosts       *[]string          `pulumi:"addHosts,optional"`
	Args           *map[string]string `pulumi:"args,optional"`
	BuilderVersion *string            `pulumi:"builderVersion,optional"`
	CacheFrom      *CacheFrom         `pulumi:"cacheFrom,optional"`
	Context        *string            `pulumi:"context,optional"`
	Dockerfile     *string            `pulumi:"dockerfile,optional"`
	Network        *string            `pulumi:"network,optional"`
	Platform       *string            `pulumi:"platform,optional"`
	Target         *string            `pulumi:"target,optional"`
	// No program gives it: it stands for the context's files.
	ContextDigest *string `pulumi:"contextDigest,optional"`
}

// CacheFrom names images whose layers may be used again.
type CacheFrom struct {
	Images *[]string `pulumi:"images,optional"`
}

// Registry is where an image is pushed, and who pushes.
type Registry struct {
	Server   *string `pulumi:"server,optional"`
	Username *string `pulumi:"username,optional"`
	Password *string `pulumi:"password,optional" provider:"secret"`
}

// Inputs are what a program says.
type Inputs struct {
	Build          *Build    `pulumi:"build,optional"`
	BuildOnPreview *bool     `pulumi:"buildOnPreview,optional"`
	ImageName      string    `pulumi:"imageName"`
	Registry       *Registry `pulumi:"registry,optional"`
	SkipPush       *bool     `pulumi:"skipPush,optional"`
}

// State is what is known of an image. The official provider keeps the inputs in one property, `__inputs`, a name that the
// library hides from providers.
type State struct {
	Inputs
	BaseImageName  string  `pulumi:"baseImageName"`
	Context        string  `pulumi:"context"`
	Dockerfile     string  `pulumi:"dockerfile"`
	Platform       *string `pulumi:"platform,optional"`
	RegistryServer string  `pulumi:"registryServer"`
	RepoDigest     string  `pulumi:"repoDigest"`
}

// Annotate gives the token that programs use.
func (i *Image) Annotate(a infer.Annotator) { a.SetToken("index/image", "Image") }

var (
	_ infer.CustomCheck[Inputs]         = (*Image)(nil)
	_ infer.CustomDiff[Inputs, State]   = (*Image)(nil)
	_ infer.CustomUpdate[Inputs, State] = (*Image)(nil)
	_ infer.CustomDelete[State]         = (*Image)(nil)
)

func orElse[T any](given *T, fallback T) *T {
	if given == nil {
		return &fallback
	}
	return given
}

// Check fills in defaults and the digest of the context, so that a changed file is a changed input.
func (*Image) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[Inputs], error) {
	inputs, failures, err := infer.DefaultCheck[Inputs](ctx, req.NewInputs)
	response := infer.CheckResponse[Inputs]{Inputs: inputs, Failures: failures}
	if err != nil || len(failures) > 0 {
		return response, err
	}
	inputs.BuildOnPreview = orElse(inputs.BuildOnPreview, false)
	if *inputs.BuildOnPreview {
		response.Failures = []p.CheckFailure{{Property: "buildOnPreview", Reason: "rehearsals build in updates alone"}}
		return response, nil
	}
	build := Build{}
	if inputs.Build != nil {
		build = *inputs.Build
	}
	if build.CacheFrom != nil {
		response.Failures = []p.CheckFailure{{Property: "build.cacheFrom", Reason: "rehearsals do without"}}
		return response, nil
	}
	given := req.NewInputs.Get("build")
	if !given.IsComputed() && !given.HasComputed() {
		build.Context = orElse(build.Context, ".")
		build.Dockerfile = orElse(build.Dockerfile, path.Join(*build.Context, "Dockerfile"))
		build.Platform = orElse(build.Platform, "linux/"+runtime.GOARCH)
		if err := checkDockerfile(*build.Context, *build.Dockerfile); err != nil {
			return response, err
		}
		digest, err := contextDigest(*build.Context, *build.Dockerfile)
		if err != nil {
			return response, err
		}
		build.ContextDigest = &digest
		inputs.Build = &build
	}
	if !*orElse(inputs.SkipPush, false) && !req.NewInputs.Get("imageName").IsComputed() {
		if err := checkQualified(inputs.ImageName); err != nil {
			return response, err
		}
	}
	response.Inputs = inputs
	return response, nil
}

func checkDockerfile(folder, dockerfile string) error {
	_, err := os.Stat(dockerfile)
	if err == nil {
		return nil
	}
	if filepath.IsAbs(dockerfile) {
		return fmt.Errorf("expected a relative Dockerfile path; got %q instead: %w", dockerfile, err)
	}
	inside := filepath.Join(folder, dockerfile)
	if _, inner := os.Stat(inside); inner == nil {
		return fmt.Errorf("could not open dockerfile at relative path %q. Try setting `dockerfile` to %q", dockerfile, inside)
	}
	return fmt.Errorf("could not open dockerfile at relative path %q: %w", dockerfile, err)
}

// checkQualified wants a registry in front: what has a dot, a colon or is localhost.
func checkQualified(name string) error {
	registry, _, isPath := strings.Cut(name, "/")
	if isPath && (strings.ContainsAny(registry, ".:") || registry == "localhost") {
		return nil
	}
	return fmt.Errorf("%q: repository name must be canonical.\n"+
		"This resource requires all image names to be fully qualified", name)
}

// Diff compares inputs alone. Of the registry only another server counts: credentials change all the time.
func (*Image) Diff(_ context.Context, req infer.DiffRequest[Inputs, State]) (infer.DiffResponse, error) {
	diff := map[string]p.PropertyDiff{}
	for _, name := range changedInputs(req.State.Inputs, req.Inputs) {
		diff[name] = p.PropertyDiff{Kind: p.Update}
	}
	return infer.DiffResponse{HasChanges: len(diff) > 0, DetailedDiff: diff}, nil
}

func changedInputs(old, current Inputs) []string {
	names := []string{}
	add := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	server := func(in Inputs) string {
		if in.Registry == nil {
			return ""
		}
		return *orElse(in.Registry.Server, "")
	}
	add("imageName", old.ImageName == current.ImageName)
	add("skipPush", *orElse(old.SkipPush, false) == *orElse(current.SkipPush, false))
	add("buildOnPreview", *orElse(old.BuildOnPreview, false) == *orElse(current.BuildOnPreview, false))
	add("build", asText(old.Build) == asText(current.Build))
	add("registry", server(old) == server(current))
	return names
}

// Create builds the image and pushes it.
func (*Image) Create(ctx context.Context, req infer.CreateRequest[Inputs]) (infer.CreateResponse[State], error) {
	if req.DryRun {
		return infer.CreateResponse[State]{ID: req.Inputs.ImageName, Output: previewed(req.Inputs)}, nil
	}
	state, err := buildAndPush(ctx, req.Inputs)
	return infer.CreateResponse[State]{ID: req.Inputs.ImageName, Output: state}, err
}

// Update builds and pushes again.
func (*Image) Update(ctx context.Context, req infer.UpdateRequest[Inputs, State]) (infer.UpdateResponse[State], error) {
	if req.DryRun {
		return infer.UpdateResponse[State]{Output: previewed(req.Inputs)}, nil
	}
	state, err := buildAndPush(ctx, req.Inputs)
	return infer.UpdateResponse[State]{Output: state}, err
}

// Delete leaves the image where it is, here and in the registry.
func (*Image) Delete(context.Context, infer.DeleteRequest[State]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, nil
}

// previewed is what a preview tells: the digest is known once the image is built.
func previewed(inputs Inputs) State {
	return State{Inputs: inputs}
}

func buildAndPush(ctx context.Context, inputs Inputs) (State, error) {
	defer engineguard.Working()()
	engine := infer.GetConfig[Config](ctx).engine
	if engine == nil {
		return State{}, fmt.Errorf("failed to connect to any docker daemon")
	}
	build := inputs.Build
	relative, err := filepath.Rel(*build.Context, *build.Dockerfile)
	if err != nil || strings.HasPrefix(relative, "..") {
		return State{}, fmt.Errorf("rehearsals want the Dockerfile %q within its context %q", *build.Dockerfile, *build.Context)
	}
	log := p.GetLogger(ctx)
	log.InfoStatus("Starting Docker build")
	id, err := engine.build(ctx, inputs, filepath.ToSlash(relative), log.InfoStatus)
	if err != nil {
		return State{}, err
	}
	state := State{
		Inputs:        inputs,
		BaseImageName: inputs.ImageName,
		Context:       *build.Context,
		Dockerfile:    relative,
		Platform:      build.Platform,
		RepoDigest:    id,
	}
	if inputs.Registry != nil {
		state.RegistryServer = *orElse(inputs.Registry.Server, "")
	}
	if *orElse(inputs.SkipPush, false) {
		return state, nil
	}
	log.InfoStatus("Pushing Image to the registry")
	digest, err := engine.push(ctx, inputs, log.InfoStatus)
	if err != nil {
		return State{}, err
	}
	repository, _ := splitTag(inputs.ImageName)
	state.RepoDigest = repository + "@" + digest
	return state, nil
}

// splitTag takes a reference without a digest apart.
func splitTag(name string) (repository, tag string) {
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		return name[:at], name[at+1:]
	}
	return name, "latest"
}
