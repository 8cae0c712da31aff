package remote

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"homeport/understudies/command/output"
	"homeport/understudies/engineguard"
)

// Command is command:remote:Command.
type Command struct{}

// CommandInputs are what a program says.
type CommandInputs struct {
	output.Lifecycle
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *output.Logging   `pulumi:"logging,optional"`
	Connection             *Connection       `pulumi:"connection"                      provider:"secret"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// CommandOutputs are what the state keeps.
type CommandOutputs struct {
	CommandInputs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Create runs the create command, if there is one.
func (*Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandInputs],
) (infer.CreateResponse[CommandOutputs], error) {
	state := CommandOutputs{CommandInputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun && req.Inputs.Create != nil {
		err = state.run(ctx, *req.Inputs.Create)
	}
	return infer.CreateResponse[CommandOutputs]{ID: id, Output: state}, err
}

// Update runs the update command, or the create command where there is none.
func (*Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandInputs, CommandOutputs],
) (infer.UpdateResponse[CommandOutputs], error) {
	state := CommandOutputs{CommandInputs: req.Inputs, Stdout: req.State.Stdout, Stderr: req.State.Stderr}
	var err error
	if command := req.Inputs.OnUpdate(); command != nil && !req.DryRun {
		err = state.run(ctx, *command)
	}
	return infer.UpdateResponse[CommandOutputs]{Output: state}, err
}

// Delete runs the delete command, if there is one.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[CommandOutputs]) (infer.DeleteResponse, error) {
	state := req.State
	if state.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	return infer.DeleteResponse{}, state.run(ctx, *state.Delete)
}

// run leaves the outputs as they were where the command fails.
func (c *CommandOutputs) run(ctx context.Context, command string) error {
	defer engineguard.Working()()
	client, err := c.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	// Closing the connection is what ends a command that was cancelled.
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	if err := c.setEnvironment(ctx, session); err != nil {
		return err
	}
	if c.Stdin != nil && *c.Stdin != "" {
		session.Stdin = strings.NewReader(*c.Stdin)
	}
	capture := output.NewCapture(ctx, c.Logging)
	session.Stdout, session.Stderr = capture.Stdout(), capture.Stderr()
	stdout, stderr, err := capture.Close(command, session.Run(command))
	if err != nil {
		return err
	}
	c.Stdout, c.Stderr = stdout, stderr
	return nil
}

// setEnvironment fails where the server takes no such variable, but only warns of the previous outputs.
func (c *CommandOutputs) setEnvironment(ctx context.Context, session *ssh.Session) error {
	const advice = "Unable to set '%s'. The server's AcceptEnv has to name it; " +
		"or write it before the command itself: VAR=value command"
	for name, value := range c.Environment {
		if err := session.Setenv(name, value); err != nil {
			p.GetLogger(ctx).Errorf(advice, name)
			return fmt.Errorf("could not set environment variable %q: %w", name, err)
		}
	}
	for name, value := range output.Previous(c.AddPreviousOutputInEnv, c.Stdout, c.Stderr) {
		if session.Setenv(name, value) != nil {
			p.GetLogger(ctx).Warningf(advice, name)
		}
	}
	return nil
}
