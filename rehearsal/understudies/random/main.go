// The understudy of the official random provider, for rehearsals where that one can't be had: RandomPassword,
// RandomString and RandomId, with its inputs, defaults, outputs and tokens. Every change of an input replaces.
package main

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"homeport/understudies/engineguard"
)

// The linker sets it to the version of @pulumi/random.
var randomVersion = "0.0.0"

func main() {
	engineguard.Watch()
	provider := infer.Provider(infer.Options{
		Resources: []infer.InferredResource{
			infer.Resource(&RandomPassword{}),
			infer.Resource(&RandomString{}),
			infer.Resource(&RandomId{}),
		},
	})
	if err := p.RunProvider(context.Background(), "random", randomVersion, provider); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
