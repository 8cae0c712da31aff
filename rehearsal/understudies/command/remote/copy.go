package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"homeport/understudies/engineguard"
)

// CopyToRemote is command:remote:CopyToRemote.
type CopyToRemote struct{}

// CopyToRemoteInputs are what a program says.
type CopyToRemoteInputs struct {
	Connection *Connection          `pulumi:"connection"        provider:"secret"`
	Triggers   *[]any               `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Source     types.AssetOrArchive `pulumi:"source"`
	RemotePath string               `pulumi:"remotePath"`
}

// CopyToRemoteOutputs are what the state keeps.
type CopyToRemoteOutputs struct {
	CopyToRemoteInputs
}

func (c *CopyToRemoteInputs) hash() string {
	if c.Source.Archive != nil {
		return c.Source.Archive.Hash
	}
	return c.Source.Asset.Hash
}

// Check refuses sources other than a path or a text.
func (*CopyToRemote) Check(
	ctx context.Context, req infer.CheckRequest,
) (infer.CheckResponse[CopyToRemoteInputs], error) {
	inputs, failures, err := infer.DefaultCheck[CopyToRemoteInputs](ctx, req.NewInputs)
	if err == nil {
		asset, archive := inputs.Source.Asset, inputs.Source.Archive
		refuse := func(property, reason string) {
			failures = append(failures, p.CheckFailure{Property: property, Reason: reason})
		}
		switch {
		case asset != nil && archive != nil:
			refuse("asset", "only one of asset or archive can be set")
		case asset == nil && archive == nil:
			refuse("asset", "either asset or archive must be set")
		case asset != nil && !asset.IsPath() && !asset.IsText():
			refuse("asset", "asset must be a path-based file asset or a text asset")
		case archive != nil && !archive.IsPath():
			refuse("archive", "archive must be a path to a file or directory")
		}
	}
	return infer.CheckResponse[CopyToRemoteInputs]{Inputs: inputs, Failures: failures}, err
}

// Create copies.
func (*CopyToRemote) Create(
	ctx context.Context, req infer.CreateRequest[CopyToRemoteInputs],
) (infer.CreateResponse[CopyToRemoteOutputs], error) {
	response := infer.CreateResponse[CopyToRemoteOutputs]{Output: CopyToRemoteOutputs{req.Inputs}}
	if req.DryRun {
		return response, nil
	}
	if err := req.Inputs.copy(ctx); err != nil {
		return response, err
	}
	id, err := resource.NewUniqueHex("", 8, 0)
	response.ID = id
	return response, err
}

// Update copies again where the content or the path changed.
func (*CopyToRemote) Update(
	ctx context.Context, req infer.UpdateRequest[CopyToRemoteInputs, CopyToRemoteOutputs],
) (infer.UpdateResponse[CopyToRemoteOutputs], error) {
	response := infer.UpdateResponse[CopyToRemoteOutputs]{Output: CopyToRemoteOutputs{req.Inputs}}
	if req.DryRun || (req.Inputs.hash() == req.State.hash() && req.Inputs.RemotePath == req.State.RemotePath) {
		return response, nil
	}
	return response, req.Inputs.copy(ctx)
}

func (c *CopyToRemoteInputs) copy(ctx context.Context) error {
	defer engineguard.Working()()
	client, err := c.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	files, err := sftp.NewClient(client, sftp.UseConcurrentWrites(true))
	if err != nil {
		return err
	}
	defer files.Close()
	host := remote{files}
	switch {
	case c.Source.Archive != nil:
		return host.copyPath(c.Source.Archive.Path, c.RemotePath)
	case c.Source.Asset.IsText():
		return host.copyText(c.Source.Asset.Text, c.RemotePath)
	default:
		return host.copyPath(c.Source.Asset.Path, c.RemotePath)
	}
}

type remote struct{ *sftp.Client }

// stat gives nil where nothing is.
func (r remote) stat(name string) (fs.FileInfo, error) {
	info, err := r.Stat(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("failed to stat remote path %s: %w", name, err)
	}
	return info, nil
}

func (r remote) write(name string, content io.Reader) error {
	file, err := r.Create(name)
	if err != nil {
		return fmt.Errorf("failed to create remote file %s: %w", name, err)
	}
	if _, err := file.ReadFrom(content); err != nil {
		_ = file.Close()
		return fmt.Errorf("failed to write remote path %s: %w", name, err)
	}
	return file.Close()
}

func (r remote) copyText(text, to string) error {
	there, err := r.stat(to)
	if err != nil {
		return err
	}
	if there != nil && there.IsDir() {
		return fmt.Errorf("remote path %s is a directory; when using a text asset, remotePath must be a file path", to)
	}
	if err := r.MkdirAll(path.Dir(to)); err != nil {
		return fmt.Errorf("failed to create parent directories for %s: %w", to, err)
	}
	return r.write(to, strings.NewReader(text))
}

func (r remote) copyFile(from, to string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.write(to, file)
}

// copyPath copies a file to a path or into a folder that exists, and a folder into a folder; a folder named with a
// slash at its end is copied without its own name.
func (r remote) copyPath(from, to string) error {
	source, err := os.Stat(from)
	if err != nil {
		return err
	}
	there, err := r.stat(to)
	if err != nil {
		return err
	}
	if source.IsDir() {
		if !strings.HasSuffix(from, "/") {
			to = path.Join(to, filepath.Base(from))
		}
		return r.copyFolder(from, to)
	}
	if there != nil && there.IsDir() {
		to = path.Join(to, filepath.Base(from))
	} else if there == nil {
		if err := r.MkdirAll(path.Dir(to)); err != nil {
			return fmt.Errorf("failed to create parent directories for %s: %w", to, err)
		}
	}
	return r.copyFile(from, to)
}

func (r remote) copyFolder(from, to string) error {
	return fs.WalkDir(os.DirFS(from), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := path.Join(to, name)
		if !entry.IsDir() {
			return r.copyFile(filepath.Join(from, name), target)
		}
		there, err := r.stat(target)
		if err != nil {
			return err
		}
		if there != nil && !there.IsDir() {
			return fmt.Errorf("remote path %s exists but is not a directory", target)
		}
		if there == nil {
			if err := r.MkdirAll(target); err != nil {
				return fmt.Errorf("failed to create remote directory %s: %w", target, err)
			}
		}
		return nil
	})
}
