import type { Readable } from "node:stream";

/** Files of a git commit, as the repository stores them: no line-ending, export or smudge rule is applied. */
export interface GitSource {
  kind: "git";
  /** Anything `git fetch` takes: https, ssh (also `git@host:path`), file URL, or a path relative to the project. */
  url: string;
  /** Branch, tag (annotated ones are peeled), full `refs/…` name or full commit hash. Default: the remote's HEAD. */
  ref?: string;
  /** Folder of the repository that becomes the root of the release. Default: the whole repository. */
  directory?: string;
}

/** Files of a folder on this machine, without `.git` and without what its .gitignore files leave out. */
export interface FolderSource {
  kind: "folder";
  /** Absolute, or relative to the project; `~/` is the home folder. */
  path: string;
  /** Subfolder that becomes the root of the release. Default: the folder itself. */
  directory?: string;
}

/** Files of a tar or gzip'd tar archive. A single folder at the top is stripped, as GitHub's archives have one. */
export interface TarballSource {
  kind: "tarball";
  /** Path (absolute, relative to the project, or `~/…`), or URL. */
  location: string;
  /** Folder of the archive, after stripping, that becomes the root of the release. Default: all of it. */
  directory?: string;
  /** Hex sha256 that the archive file must have. Default: not checked; the release is then pinned by what came. */
  sha256?: string;
}

/** Where the files of a release come from. */
export type Source = GitSource | FolderSource | TarballSource;

/** Identity of a source's content at one moment. Plain data: may travel as JSON from the program to a driver. */
export interface Fingerprint {
  /**
   * 16 lower hex digits that stand for the content and its `directory`: equal on every machine for equal content,
   * free of paths, owners and times.
   */
  id: string;
  /** For people, without secrets: `main @ 3fa2c1d`, `folder ../x (42 files, 120 kB)`. Not stable: keep it out of diffs. */
  describe: string;
  /** Full commit hash, for git sources. */
  commit?: string;
}

/** A source's files as a gzip'd tar, equal byte for byte for equal content on one machine. */
export interface PackedSource {
  /** A fresh stream of the archive from its first byte; may be called more than once. */
  stream(): Readable;
  /** Size of the archive. */
  bytes: number;
  /** Frees the archive's space and ends its open streams. May be called more than once. */
  dispose(): Promise<void>;
}

/** Where relative paths start. */
export interface SourceOptions {
  /** The project's folder, absolute. */
  cwd: string;
}

/** Upper bounds on what an archive may unpack to, against decompression bombs. */
export interface UnpackLimits {
  /** Bytes of the unpacked tar. Default 8 GiB. */
  bytes?: number;
  /** Members of the tar. Default 500,000. */
  entries?: number;
}

/** A release from a git repository. */
export function git(url: string, options: Omit<GitSource, "kind" | "url"> = {}): GitSource {
  return { kind: "git", url, ...options };
}

/** A release from a folder on this machine. */
export function folder(path: string, options: Omit<FolderSource, "kind" | "path"> = {}): FolderSource {
  return { kind: "folder", path, ...options };
}

/** A release from a tar or gzip'd tar archive. */
export function tarball(location: string, options: Omit<TarballSource, "kind" | "location"> = {}): TarballSource {
  return { kind: "tarball", location, ...options };
}
