import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import assert from "node:assert/strict";
import { after, before } from "mocha";
import { SourceError } from "../../../drivers/source";
import type { PackedSource } from "../../../drivers/source";

/** Content by path; `-> target` is a link, a trailing `*` in the path makes an executable file. */
export type Files = Record<string, string | Buffer>;

/** A folder of its own for a suite, with homeport's cache in it and without the configuration of this user's git. */
export function sandbox(): { path: (...parts: string[]) => string; fresh: () => string } {
  let root = "";
  let count = 0;
  const saved: NodeJS.ProcessEnv = {};
  before(() => {
    root = mkdtempSync(join(tmpdir(), "homeport-source-"));
    const env: NodeJS.ProcessEnv = {
      HOMEPORT_CACHE: join(root, "cache"),
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "A",
      GIT_AUTHOR_EMAIL: "a@example.com",
      GIT_COMMITTER_NAME: "A",
      GIT_COMMITTER_EMAIL: "a@example.com",
    };
    for (const [name, value] of Object.entries(env)) {
      saved[name] = process.env[name];
      process.env[name] = value;
    }
  });
  after(() => {
    for (const [name, value] of Object.entries(saved)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    rmSync(root, { recursive: true, force: true });
  });
  return {
    path: (...parts) => join(root, ...parts),
    fresh: () => {
      const path = join(root, `folder-${(count += 1)}`);
      mkdirSync(path);
      return path;
    },
  };
}

/** Writes files below a folder. */
export function put(root: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name.replace(/\*$/, ""));
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string" && content.startsWith("-> ")) symlinkSync(content.slice(3), path);
    else writeFileSync(path, content);
    if (name.endsWith("*")) chmodSync(path, 0o755);
  }
}

/** Runs git and gives its output. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** A repository with one commit of these files; gives the commit. */
export function repository(root: string, files: Files): string {
  git(root, "init", "--quiet", "--initial-branch=main");
  put(root, files);
  return commit(root);
}

/** Commits everything there is. */
export function commit(root: string): string {
  git(root, "add", "--all", "--force");
  git(root, "commit", "--quiet", "--allow-empty", "--message=x");
  return git(root, "rev-parse", "HEAD");
}

/** All bytes of a packed source. */
export async function bytesOf(packed: PackedSource): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of packed.stream()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What GNU tar sees in an archive: `mode owner size name`, in the archive's order. */
export function listTar(archive: Buffer): string[] {
  const args = ["--list", "--gzip", "--verbose", "--numeric-owner", "--utc", "--full-time", "--quoting-style=literal"];
  const out = execFileSync("tar", args, { input: archive, encoding: "utf8", maxBuffer: 1 << 28 });
  return out
    .split("\n")
    .slice(0, -1)
    .map((line) => line.replace(/ +/g, " "));
}

/** Unpacks with GNU tar into a folder. */
export function untar(archive: Buffer, into: string): void {
  execFileSync("tar", ["--extract", "--gzip", "--directory", into], { input: archive });
}

/** Expects a SourceError of four lines, whose text matches all of these. */
export async function refuses(task: () => unknown, ...patterns: RegExp[]): Promise<SourceError> {
  try {
    await task();
  } catch (error) {
    assert(error instanceof SourceError, String(error));
    assert.match(error.message, /^.+\n {2}where: .+\n {2}why: .+\n {2}fix: .+$/);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

/** The files and links below a folder, sorted, without `.git`. */
export function filesBelow(root: string, at = ""): string[] {
  const found = readdirSync(join(root, at), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === ".git") return [];
    return entry.isDirectory() ? filesBelow(root, join(at, entry.name)) : [join(at, entry.name)];
  });
  return found.sort();
}
