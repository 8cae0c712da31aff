// The understudy of the official command provider, for rehearsals where that one can't be had. It is written with the
// library that the official one is written with, so that checks, diffs, secrets and previews are the library's.
package main

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"homeport/understudies/command/local"
	"homeport/understudies/command/remote"
	"homeport/understudies/engineguard"
)

// The linker sets it to the version of @pulumi/command.
var commandVersion = "0.0.0"

func main() {
	engineguard.Watch()
	provider := infer.Provider(infer.Options{
		Resources: []infer.InferredResource{
			infer.Resource(&local.Command{}),
			infer.Resource(&remote.Command{}),
			infer.Resource(&remote.CopyToRemote{}),
		},
		Functions: []infer.InferredFunction{infer.Function(&local.Run{})},
	})
	if err := p.RunProvider(context.Background(), "command", commandVersion, provider); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
