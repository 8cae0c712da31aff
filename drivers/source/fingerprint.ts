import { checkSource } from "./check";
import { gitId, resolveCommit, short } from "./remote";
import type { Fingerprint, GitSource, Source, SourceOptions } from "./types";

/**
 * What a source stands for now. Fast enough for every preview, and changes nothing but homeport's cache.
 *
 * | source | the id follows | network |
 * |---|---|---|
 * | git | the commit | one `git ls-remote`; none when ref is a full hash |
 * | folder | path, executable bit and content of each file, target of each link | none |
 * | tarball | the file's sha256 | one conditional download; none for a path, or with a sha256 that is cached |
 *
 * @throws SourceError
 */
export async function fingerprint(source: Source, options: SourceOptions): Promise<Fingerprint> {
  checkSource(source);
  // Each kind's code is loaded only where it is used: a program's start counts.
  switch (source.kind) {
    case "git":
      return fingerprintGit(source, options.cwd);
    case "folder":
      return (await import("./folder")).fingerprintFolder(source, options.cwd);
    case "tarball":
      return (await import("./tarball")).fingerprintTarball(source, options.cwd);
  }
}

async function fingerprintGit(source: GitSource, cwd: string): Promise<Fingerprint> {
  const { commit, name } = await resolveCommit(source, cwd);
  const describe = name === undefined ? short(commit) : `${name} @ ${short(commit)}`;
  return { id: gitId(source, commit), describe, commit };
}
