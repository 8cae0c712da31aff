package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

func asText(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

// ignorePatterns reads <Dockerfile>.dockerignore, else the context's .dockerignore.
func ignorePatterns(folder, dockerfile string) ([]string, error) {
	for _, name := range []string{dockerfile + ".dockerignore", filepath.Join(folder, ".dockerignore")} {
		file, err := os.Open(name) // #nosec G304 -- a file of the program's own context
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", name, err)
		}
		defer func() { _ = file.Close() }()
		return ignorefile.ReadAll(file)
	}
	return nil, nil
}

// member is one file or link of a context.
type member struct {
	// With slashes, relative to the context.
	name string
	path string
	info fs.FileInfo
}

// members lists what patterns don't exclude, in a fixed order. Folders that hold nothing are left out.
func members(folder string, patterns []string) ([]member, error) {
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	found := []member{}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		excluded, err := matcher.MatchesOrParentMatches(relative) //nolint:staticcheck // Files come one by one.
		if err != nil {
			return err
		}
		if entry.IsDir() {
			// Something within may be taken in again.
			if excluded && !matcher.Exclusions() {
				return filepath.SkipDir
			}
			return nil
		}
		if excluded {
			return nil
		}
		info, err := entry.Info()
		found = append(found, member{filepath.ToSlash(relative), path, info})
		return err
	})
	return found, err
}

// contextDigest stands for the names, modes and contents of a context's files, and for the Dockerfile whatever its name.
func contextDigest(folder, dockerfile string) (string, error) {
	patterns, err := ignorePatterns(folder, dockerfile)
	if err != nil {
		return "", err
	}
	found, err := members(folder, patterns)
	if err != nil {
		return "", fmt.Errorf("unable to hash build context: %w", err)
	}
	info, err := os.Stat(dockerfile)
	if err != nil {
		return "", err
	}
	all := sha256.New()
	for _, one := range append([]member{{"Dockerfile", dockerfile, info}}, found...) {
		own := sha256.New()
		if err := hashContent(own, one); err != nil {
			return "", fmt.Errorf("error while hashing %q: %w", one.path, err)
		}
		_, _ = fmt.Fprintf(all, "%s\x00%s\x00%x\n", one.name, one.info.Mode(), own.Sum(nil))
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

func hashContent(into io.Writer, one member) error {
	if one.info.Mode().Type() == fs.ModeSymlink {
		// A link that leads nowhere is an error of the official provider, too.
		target, err := filepath.EvalSymlinks(one.path)
		if err != nil {
			return fmt.Errorf("could not evaluate symlink at %s: %w", one.path, err)
		}
		_, err = io.WriteString(into, filepath.ToSlash(filepath.Clean(target)))
		return err
	}
	if !one.info.Mode().IsRegular() {
		return nil
	}
	return copyFile(into, one.path)
}

func copyFile(into io.Writer, path string) error {
	file, err := os.Open(path) // #nosec G304 -- a file of the program's own context
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = io.Copy(into, file)
	return err
}

// writeContext writes a context as the tar archive that the engine takes. What the build needs itself is never excluded.
func writeContext(into io.Writer, folder, dockerfile, relative string) error {
	patterns, err := ignorePatterns(folder, dockerfile)
	if err != nil {
		return err
	}
	found, err := members(folder, append(patterns, "!"+relative, "!.dockerignore"))
	if err != nil {
		return err
	}
	archive := tar.NewWriter(into)
	for _, one := range found {
		target := ""
		if one.info.Mode().Type() == fs.ModeSymlink {
			if target, err = os.Readlink(one.path); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(one.info, target)
		if err != nil {
			return err
		}
		header.Name, header.Uid, header.Gid, header.Uname, header.Gname = one.name, 0, 0, "", ""
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if one.info.Mode().IsRegular() {
			if err := copyFile(archive, one.path); err != nil {
				return err
			}
		}
	}
	return archive.Close()
}
