import { existsSync, renameSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, scratchFolder, sweep } from "./cache";
import { whereOf } from "./check";
import { SourceError } from "./error";
import { quietSsh, runGit, type GitResult, type Remote } from "./git";
import { locked } from "./lock";
import { remoteError } from "./remote";
import type { GitSource } from "./types";

/** The local copy of a repository lacks objects that it should have. */
export class DamagedMirror extends Error {}

/** Milliseconds. A server that falls silent is given up after 30 s already (git.ts); this bounds a big fetch. */
const FETCH_MS = 15 * 60_000;

/** Each commit fetched adds a pack file; from so many on a fresh copy of one commit is the faster one. */
const MAX_COMMITS = 50;

const UNUSED_DAYS = 30;

/**
 * A bare repository in the cache that holds one commit with all of its files. Commits are fetched without their
 * history; a copy that is damaged is replaced by a fresh one.
 * @param fresh replace the copy in any case
 * @returns its path
 * @throws SourceError when the remote can't be read or no longer has the commit
 */
export async function mirrorOf(source: GitSource, remote: Remote, commit: string, fresh = false): Promise<string> {
  // SHA-1 and SHA-256 objects can't live in one repository.
  const name = `${remote.key}-${commit.length === 64 ? "sha256" : "sha1"}`;
  const path = join(cacheFolder("git"), `${name}.git`);
  if (!fresh && (await has(path, commit))) return touched(path);
  return locked(join(cacheFolder("git"), `${name}.lock`), 2 * FETCH_MS, async () => {
    sweep("git", UNUSED_DAYS);
    sweep("scratch", 1);
    if (!fresh && (await has(path, commit))) return touched(path);
    const usable = !fresh && (await count(path)) < MAX_COMMITS;
    if (usable && (await fetchInto(path, remote, commit)) === undefined) return touched(path);
    await replace(path, source, remote, commit);
    return touched(path);
  });
}

/** Makes a fresh copy and puts it in place of the old one, which stays until the new one is whole. */
async function replace(path: string, source: GitSource, remote: Remote, commit: string): Promise<void> {
  const scratch = scratchFolder();
  try {
    const made = join(scratch, "repository");
    const format = commit.length === 64 ? "sha256" : "sha1";
    const init = await runGit(["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, made]);
    const failed = init.code === 0 ? await fetchInto(made, remote, commit) : init;
    if (failed !== undefined) throw fetchError(source, commit, failed);
    if (existsSync(path)) renameSync(path, join(scratch, "old"));
    renameSync(made, path);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Fetches one commit; the ref that marks it is written by git once all of its objects are there. */
async function fetchInto(path: string, remote: Remote, commit: string): Promise<GitResult | undefined> {
  const env = { ...(await quietSsh()), ...remote.env };
  const fetch = (...args: string[]): Promise<GitResult> => {
    const quiet = ["--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--no-recurse-submodules"];
    return runGit([`--git-dir=${path}`, "fetch", ...quiet, ...args], { env, timeoutMs: FETCH_MS });
  };
  const one = await fetch("--depth=1", "--", remote.url, `${commit}:${markOf(commit)}`);
  if (one.code === 0) return undefined;
  // Older protocols give only what a ref points to, plain file servers only whole histories.
  if (!/not our ref|unadvertised object|does not allow|dumb http/i.test(one.stderr)) return one;
  const all = await fetch("--", remote.url, "+refs/heads/*:refs/all/heads/*", "+refs/tags/*:refs/all/tags/*");
  if (all.code !== 0) return all;
  const mark = await runGit([`--git-dir=${path}`, "update-ref", markOf(commit), commit]);
  return mark.code === 0 ? undefined : one;
}

function markOf(commit: string): string {
  return `refs/homeport/${commit}`;
}

async function has(path: string, commit: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const found = await runGit([`--git-dir=${path}`, "rev-parse", "--quiet", "--verify", `${markOf(commit)}^{tree}`]);
  return found.code === 0;
}

/** How many commits a copy holds; infinitely many when it isn't usable. */
async function count(path: string): Promise<number> {
  if (!existsSync(path)) return Infinity;
  const refs = await runGit([`--git-dir=${path}`, "for-each-ref", "--format=%(objectname)", "refs/homeport/"]);
  return refs.code === 0 ? refs.stdout.toString("latin1").split("\n").length - 1 : Infinity;
}

/** Marks a copy as used, for the sweep. */
function touched(path: string): string {
  utimesSync(path, new Date(), new Date());
  return path;
}

function fetchError(source: GitSource, commit: string, result: GitResult): SourceError {
  if (!/not our ref|unadvertised object|couldn't find remote ref|does not allow/i.test(result.stderr)) {
    return remoteError(whereOf(source), result);
  }
  return new SourceError({
    what: `The repository doesn't have the commit ${commit}`,
    where: whereOf(source),
    why: "it was never pushed there, or a forced push has removed it since",
    fix: "push it, or run the command again to take what the ref stands for now",
  });
}
