import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";

/** Platforms that are pushed the same folders, one after another, have the same commits. */
const date = "1700000000 +0000";

/** Whoever commits, so that this machine's git needs no settings. */
const author = {
  GIT_AUTHOR_DATE: date,
  GIT_COMMITTER_DATE: date,
  GIT_AUTHOR_NAME: "rehearsal",
  GIT_AUTHOR_EMAIL: "rehearsal@example.com",
  GIT_COMMITTER_NAME: "rehearsal",
  GIT_COMMITTER_EMAIL: "rehearsal@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
};

function git(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...author, ...env }, encoding: "buffer", maxBuffer: 2 ** 30 } as const;
    execFile("git", args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`git ${args.join(" ")}: ${stderr.toString().trim() || error.message}`));
    });
  });
}

/** A commit of a repository. */
export interface Commit {
  readonly id: string;
  readonly message: string;
}

/** `owner/name` of an address such as https://github.com/owner/name.git, or of `owner/name` itself. */
export function repositoryName(address: string): string {
  return address
    .replace(/^(?:\w+:\/\/[^/]+\/|[\w.-]+@[^:]+:)/, "")
    .replace(/\.git$/, "")
    .replace(/\/+$/, "");
}

/** The repositories that a platform's emulator builds from: bare ones in a folder, filled from folders of this machine. */
export class Repositories {
  constructor(private readonly folder: string) {}

  private path(address: string): string {
    const name = repositoryName(address);
    if (!/^[\w-][\w.-]*(?:\/[\w-][\w.-]*)+$/.test(name)) throw new Error(`"${address}" names no repository.`);
    return join(this.folder, `${name}.git`);
  }

  /** Commits a folder's present state, without what its .gitignore names. The last commit's id where nothing has changed. */
  async commit(name: string, from: string, branch = "main"): Promise<string> {
    const path = this.path(name);
    if (!existsSync(path)) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      await git(["init", "--quiet", "--bare", `--initial-branch=${branch}`, path]);
    }
    const scratch = mkdtempSync(join(tmpdir(), "homeport-index-"));
    try {
      const env = { GIT_INDEX_FILE: join(scratch, "index"), GIT_DIR: path, GIT_WORK_TREE: from };
      await git(["-C", from, "add", "--all", "."], env);
      const tree = (await git(["write-tree"], env)).toString().trim();
      const parent = (await this.head(name, branch))?.id;
      if (parent !== undefined && (await git(["rev-parse", `${parent}^{tree}`], env)).toString().trim() === tree)
        return parent;
      const parents = parent === undefined ? [] : ["-p", parent];
      const made = await git(["commit-tree", tree, ...parents, "-m", `Version ${tree.slice(0, 7)}`], env);
      const id = made.toString().trim();
      await git(["update-ref", `refs/heads/${branch}`, id], env);
      return id;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  /** A branch's last commit; undefined where there is no such repository or branch. */
  async head(address: string, branch = "main"): Promise<Commit | undefined> {
    return this.find(address, `refs/heads/${branch}`);
  }

  /** The commit that a text names; undefined where there is none. */
  async find(address: string, revision: string): Promise<Commit | undefined> {
    const path = this.path(address);
    if (!existsSync(path)) return undefined;
    const env = { GIT_DIR: path };
    const shown = await git(["log", "-1", "--format=%H%n%s", "--end-of-options", revision], env).catch(() => undefined);
    const [id, message = ""] = shown?.toString().trim().split("\n") ?? [];
    return id === undefined || id === "" ? undefined : { id, message };
  }

  /** The paths that differ between two commits. */
  async changes(address: string, from: string, to: string): Promise<string[]> {
    const listed = await git(["diff", "--name-only", "--end-of-options", from, to], { GIT_DIR: this.path(address) });
    return listed
      .toString()
      .split("\n")
      .filter((path) => path !== "");
  }

  /** A repository's branches; none where there is no such repository. */
  async branches(address: string): Promise<string[]> {
    const path = this.path(address);
    if (!existsSync(path)) return [];
    const listed = await git(["for-each-ref", "--format=%(refname:short)", "refs/heads"], { GIT_DIR: path });
    return listed
      .toString()
      .split("\n")
      .filter((name) => name !== "");
  }

  /** A commit's files as a tar archive: all of them, or those of a folder in it, and what is added to them. */
  archive(address: string, commit: string, folder = "", added: Readonly<Record<string, string>> = {}): Promise<Buffer> {
    const inside = folder.replace(/^\.?\/*|\/*$/g, "");
    const more = Object.entries(added).map(([name, content]) => `--add-virtual-file=${name}:${content}`);
    return git(["archive", "--format=tar", ...more, inside === "" ? commit : `${commit}:${inside}`], {
      GIT_DIR: this.path(address),
    });
  }
}
