// The understudy of the official docker provider, for rehearsals where that one can't be had: the resource Image, which
// builds an image by the Docker Engine's API and pushes it to a registry, with its inputs, defaults, diffs and messages
// (github.com/pulumi/pulumi-docker, provider/provider.go and provider/image.go). Other resources are refused.
package main

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"homeport/understudies/engineguard"
)

// The linker sets it to the version of @pulumi/docker.
var dockerVersion = "0.0.0"

// Config is the provider's configuration, `docker:<key>`.
type Config struct {
	Host                     *string `pulumi:"host,optional"`
	CaMaterial               *string `pulumi:"caMaterial,optional"`
	CertMaterial             *string `pulumi:"certMaterial,optional"`
	KeyMaterial              *string `pulumi:"keyMaterial,optional" provider:"secret"`
	CertPath                 *string `pulumi:"certPath,optional"`
	Context                  *string `pulumi:"context,optional"`
	SSHOpts                  *string `pulumi:"sshOpts,optional"`
	RegistryAuth             *string `pulumi:"registryAuth,optional"`
	DisableDockerDaemonCheck *string `pulumi:"disableDockerDaemonCheck,optional"`

	engine *engine
}

var _ infer.CustomConfigure = (*Config)(nil)

// Configure looks for the Docker Engine, as the official provider does even in a preview.
func (c *Config) Configure(ctx context.Context) error {
	host := os.Getenv("DOCKER_HOST")
	if c.Host != nil {
		host = *c.Host
	}
	if c.CaMaterial != nil || c.CertMaterial != nil || c.KeyMaterial != nil || c.CertPath != nil || c.SSHOpts != nil {
		return fmt.Errorf("rehearsals reach their Docker Engine without TLS and SSH; take docker:caMaterial, " +
			"docker:certMaterial, docker:keyMaterial, docker:certPath and docker:sshOpts away")
	}
	found, err := findEngine(ctx, host)
	if err != nil {
		return fmt.Errorf("docker native provider returned an unexpected error from Configure: %w", err)
	}
	c.engine = found
	return nil
}

// diffConfig never asks for another provider: that would replace every image, where the official one only goes on elsewhere.
func diffConfig(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	return p.DiffResponse{HasChanges: !property.New(req.OldInputs).Equals(property.New(req.Inputs))}, nil
}

func main() {
	engineguard.Watch()
	provider := infer.Provider(infer.Options{
		Config:    infer.Config(&Config{}),
		Resources: []infer.InferredResource{infer.Resource(&Image{})},
	})
	provider.DiffConfig = diffConfig
	if err := p.RunProvider(context.Background(), "docker", dockerVersion, provider); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
