// Package local runs commands on this machine: command:local:Command and the function command:local:run.
package local

import (
	"context"
	"os"
	"os/exec"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"homeport/understudies/command/output"
	"homeport/understudies/engineguard"
)

// BaseInputs say how a command runs.
type BaseInputs struct {
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *output.Logging    `pulumi:"logging,optional"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	AssetPaths             *[]string          `pulumi:"assetPaths,optional"`
	ArchivePaths           *[]string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// BaseOutputs are what a command printed.
type BaseOutputs struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// run leaves the outputs as they were where the command fails.
func run(ctx context.Context, command string, in BaseInputs, out *BaseOutputs) error {
	defer engineguard.Working()()
	args := []string{"/bin/sh", "-c"}
	if in.Interpreter != nil && len(*in.Interpreter) > 0 {
		args = append([]string{}, *in.Interpreter...)
	}
	args = append(args, command)
	capture := output.NewCapture(ctx, in.Logging)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return killTree(cmd.Process.Pid) }
	cmd.Stdout, cmd.Stderr = capture.Stdout(), capture.Stderr()
	if in.Dir != nil {
		cmd.Dir = *in.Dir
	}
	if in.Stdin != nil && *in.Stdin != "" {
		cmd.Stdin = strings.NewReader(*in.Stdin)
	}
	cmd.Env = os.Environ()
	if in.Environment != nil {
		cmd.Env = with(cmd.Env, *in.Environment)
	}
	cmd.Env = with(cmd.Env, output.Previous(in.AddPreviousOutputInEnv, out.Stdout, out.Stderr))
	stdout, stderr, err := capture.Close(command, cmd.Run())
	if err != nil {
		return err
	}
	out.Stdout, out.Stderr = stdout, stderr
	return nil
}

func with(env []string, more map[string]string) []string {
	for name, value := range more {
		env = append(env, name+"="+value)
	}
	return env
}

// Command is command:local:Command.
type Command struct{}

// CommandInputs are what a program says.
type CommandInputs struct {
	output.Lifecycle
	BaseInputs
}

// CommandOutputs are what the state keeps.
type CommandOutputs struct {
	CommandInputs
	BaseOutputs
}

var _ infer.CustomCheck[CommandInputs] = (*Command)(nil)

// Check refuses what the understudy leaves out.
func (*Command) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[CommandInputs], error) {
	inputs, failures, err := infer.DefaultCheck[CommandInputs](ctx, req.NewInputs)
	for property, given := range map[string]bool{
		"assetPaths":   inputs.AssetPaths != nil,
		"archivePaths": inputs.ArchivePaths != nil,
	} {
		if given {
			failures = append(failures, p.CheckFailure{Property: property, Reason: "rehearsals do without files as outputs; " +
				"read them with the command's own output, or use the official provider"})
		}
	}
	return infer.CheckResponse[CommandInputs]{Inputs: inputs, Failures: failures}, err
}

// Create runs the create command, if there is one.
func (*Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandInputs],
) (infer.CreateResponse[CommandOutputs], error) {
	state := CommandOutputs{CommandInputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun && req.Inputs.Create != nil {
		err = run(ctx, *req.Inputs.Create, state.BaseInputs, &state.BaseOutputs)
	}
	return infer.CreateResponse[CommandOutputs]{ID: id, Output: state}, err
}

// Update runs the update command, or the create command where there is none.
func (*Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandInputs, CommandOutputs],
) (infer.UpdateResponse[CommandOutputs], error) {
	state := CommandOutputs{CommandInputs: req.Inputs, BaseOutputs: req.State.BaseOutputs}
	var err error
	if command := req.Inputs.OnUpdate(); command != nil && !req.DryRun {
		err = run(ctx, *command, state.BaseInputs, &state.BaseOutputs)
	}
	return infer.UpdateResponse[CommandOutputs]{Output: state}, err
}

// Delete runs the delete command, if there is one.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[CommandOutputs]) (infer.DeleteResponse, error) {
	state := req.State
	if state.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	return infer.DeleteResponse{}, run(ctx, *state.Delete, state.BaseInputs, &state.BaseOutputs)
}

// Run is the function command:local:run, which runs at each preview and update.
type Run struct{}

// RunInputs are a command and how it runs.
type RunInputs struct {
	BaseInputs
	Command string `pulumi:"command"`
}

// RunOutputs are the inputs and what the command printed.
type RunOutputs struct {
	RunInputs
	BaseOutputs
}

// Invoke runs the command.
func (*Run) Invoke(
	ctx context.Context, req infer.FunctionRequest[RunInputs],
) (infer.FunctionResponse[RunOutputs], error) {
	out := RunOutputs{RunInputs: req.Input}
	err := run(ctx, req.Input.Command, out.BaseInputs, &out.BaseOutputs)
	return infer.FunctionResponse[RunOutputs]{Output: out}, err
}
