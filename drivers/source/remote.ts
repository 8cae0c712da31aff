import { isAbsolute, resolve } from "node:path";
import { isFullHash, normalDirectory, whereOf } from "./check";
import { contentId } from "./digest";
import { SourceError } from "./error";
import { gitComplaint, quietSsh, remoteOf, runGit, type GitResult, type Remote } from "./git";
import { nearest } from "./near";
import { homePath } from "./paths";
import type { GitSource } from "./types";

/** A ref, found at its remote. */
export interface Resolved {
  /** Full commit hash. */
  commit: string;
  /** Name for people: `main`, `v1.2`; undefined when a commit was asked for. */
  name?: string;
}

/** Milliseconds for one answer of a remote: a user waits for it in every preview. */
const ANSWER_MS = 30_000;

const running = new Map<string, Promise<Resolved>>();

/**
 * The commit a source stands for now. A full hash is taken as it is, without the network. Calls for one remote and ref
 * that overlap share one look-up, so that two services from one repository get one commit.
 * @throws SourceError when the remote can't be read, or the ref is missing or ambiguous
 */
export function resolveCommit(source: GitSource, cwd: string): Promise<Resolved> {
  const { ref } = source;
  if (ref !== undefined && isFullHash(ref)) return Promise.resolve({ commit: ref.toLowerCase() });
  const key = JSON.stringify([source.url, ref, cwd]);
  const started =
    running.get(key) ??
    lookUp(source, gitRemote(source, cwd)).finally(() => {
      running.delete(key);
    });
  running.set(key, started);
  return started;
}

/** The fingerprint's id of a commit's files. */
export function gitId(source: GitSource, commit: string): string {
  return contentId("git", commit, normalDirectory(source.directory));
}

/** The remote of a source; a relative path starts at cwd. */
export function gitRemote(source: GitSource, cwd: string): Remote {
  const path = !source.url.includes("://") && (/^[./~]/.test(source.url) || !/^[^/]+:/.test(source.url));
  const local = homePath(source.url);
  return remoteOf(path && !isAbsolute(local) ? resolve(cwd, local) : path ? local : source.url);
}

async function lookUp(source: GitSource, remote: Remote): Promise<Resolved> {
  const ref = source.ref ?? "HEAD";
  const full = ref === "HEAD" || ref.startsWith("refs/");
  const names = full ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  const answer = await list(
    source,
    remote,
    ["--symref"],
    names.flatMap((name) => [name, `${name}^{}`]),
  );
  const found = names.flatMap((name) => {
    const commit = answer.refs.get(`${name}^{}`) ?? answer.refs.get(name);
    return commit === undefined ? [] : [{ commit, name: name.replace(/^refs\/(?:heads|tags)\//, "") }];
  });
  const [first, second] = found;
  if (first === undefined) return missing(source, remote, ref);
  if (second !== undefined && second.commit !== first.commit) {
    throw new SourceError({
      what: `The ref "${ref}" is ambiguous`,
      where: whereOf(source),
      why: `there is a branch "${ref}" at ${short(first.commit)} and a tag "${ref}" at ${short(second.commit)}`,
      fix: `set ref to refs/heads/${ref} for the branch or refs/tags/${ref} for the tag`,
    });
  }
  return ref === "HEAD" ? { ...first, name: answer.head ?? "HEAD" } : first;
}

async function missing(source: GitSource, remote: Remote, ref: string): Promise<never> {
  const { refs } = await list(source, remote, ["--heads", "--tags"], []);
  const names = [...refs.keys()]
    .filter((name) => !name.endsWith("^{}"))
    .map((name) => name.replace(/^refs\/\w+\//, ""));
  const commits = [...new Set(refs.values())].filter(
    (commit) => /^[0-9a-f]{4,63}$/.test(ref) && commit.startsWith(ref),
  );
  if (commits.length > 0 || /^[0-9a-f]{7,63}$/.test(ref)) {
    throw new SourceError({
      what: `There is no branch or tag "${ref}"`,
      where: whereOf(source),
      why: "it looks like a shortened commit hash, and a server knows commits by their full hash only",
      fix: `set ref to the full hash: ${commits.length > 0 ? commits.join(" or ") : `git rev-parse ${ref}`}`,
    });
  }
  const near = nearest(ref, names);
  throw new SourceError({
    what: ref === "HEAD" ? "The repository has no default branch with a commit" : `There is no branch or tag "${ref}"`,
    where: whereOf(source),
    why:
      names.length === 0
        ? "the repository is empty"
        : `it has ${names.length} branches and tags, near: ${near.join(", ")}`,
    fix: names.length === 0 ? "push a commit to it first" : `set ref to one of: ${near.join(", ")}`,
  });
}

interface Listing {
  refs: Map<string, string>;
  /** The branch that HEAD stands for, if the remote tells. */
  head?: string;
}

async function list(source: GitSource, remote: Remote, flags: string[], names: string[]): Promise<Listing> {
  const result = await runGit(["ls-remote", ...flags, "--", remote.url, ...names], {
    env: { ...(await quietSsh()), ...remote.env },
    timeoutMs: ANSWER_MS,
  });
  if (result.code !== 0 || result.timedOut) throw remoteError(whereOf(source), result);
  const listing: Listing = { refs: new Map() };
  for (const line of result.stdout.toString("utf8").split("\n")) {
    const [value = "", name = ""] = line.split("\t");
    const head = /^ref: refs\/heads\/(.*)$/.exec(value)?.[1];
    if (head !== undefined && name === "HEAD") listing.head = head;
    else if (isFullHash(value)) listing.refs.set(name, value);
  }
  return listing;
}

/** Tells why a remote could not be read. */
export function remoteError(where: string, result: GitResult): SourceError {
  const why = gitComplaint(result);
  const text = result.stderr;
  const fix = /terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|40[13]/i.test(text)
    ? "for a private repository let git know your credentials (gh auth setup-git, or git config credential.helper), and try: git ls-remote <url>"
    : /Permission denied|publickey/i.test(text)
      ? "load a key that may read it (ssh-add), and try: git ls-remote <url>"
      : /Host key verification failed/i.test(text)
        ? "check the host's key and add it to ~/.ssh/known_hosts (ssh-keyscan <host>)"
        : /does not appear to be a git repository|not found|does not exist/i.test(text)
          ? "check the URL; a private repository also answers so to those who may not see it: git ls-remote <url>"
          : "check the network and the URL: git ls-remote <url>";
  return new SourceError({ what: "The git repository can't be read", where, why, fix });
}

/** The usual short form of a commit. */
export function short(commit: string): string {
  return commit.slice(0, 7);
}
