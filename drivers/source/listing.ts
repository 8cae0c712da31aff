import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, scratchFolder } from "./cache";
import { SourceError } from "./error";
import { gitComplaint, runGit } from "./git";
import { statOf } from "./paths";

/**
 * The paths below a folder that .gitignore files don't leave out, `.git` excepted. Git itself decides, also where the
 * folder is no work tree: then with an empty repository beside it, so that a checkout and its copy agree.
 * May name files that are gone and, for a submodule, folders.
 * @throws SourceError
 */
export async function listFolder(root: string): Promise<string[]> {
  const paths = (await listWorkTree(root)) ?? (await listPlain(root));
  const all = new Set<string>();
  for (const path of paths) {
    const name = path.endsWith("/") ? path.slice(0, -1) : path;
    const below = join(root, name);
    if (!statOf(below)?.isDirectory()) {
      all.add(name);
      continue;
    }
    // A repository within the tree, which git names but doesn't enter: a submodule or a clone.
    const inner = existsSync(join(below, ".git")) ? await listFolder(below) : await listSubmodule(root, name);
    inner.forEach((each) => all.add(`${name}/${each}`));
  }
  return [...all];
}

async function listSubmodule(root: string, name: string): Promise<string[]> {
  const below = join(root, name);
  if (readdirSync(below).length > 0) return listPlain(below);
  throw new SourceError({
    what: `The submodule "${name}" isn't checked out`,
    where: `folder ${root}`,
    why: "its folder is empty, so the release would lack its files",
    fix: `git -C ${root} submodule update --init --recursive`,
  });
}

/** Undefined when no work tree holds the folder, or one that ignores the folder as a whole. */
async function listWorkTree(root: string): Promise<string[] | undefined> {
  const result = await runGit([...LIST], { cwd: root });
  if (result.code === 0) {
    const paths = split(result.stdout, root);
    if (paths.length > 0) return paths;
    const ignored = await runGit(["check-ignore", "-q", "."], { cwd: root });
    return ignored.code === 0 ? undefined : paths;
  }
  if (/not a git repository|must be run in a work tree/i.test(result.stderr)) return undefined;
  throw new SourceError({
    what: "git can't list the folder's files",
    where: `folder ${root}`,
    why: gitComplaint(result),
    fix: /dubious ownership/.test(result.stderr)
      ? `if you trust it: git config --global --add safe.directory $(git -C ${root} rev-parse --show-toplevel)`
      : `make this work: git -C ${root} status`,
  });
}

const LIST = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"] as const;

async function listPlain(root: string): Promise<string[]> {
  const result = await runGit([`--git-dir=${emptyRepository()}`, "--work-tree=.", ...LIST], { cwd: root });
  if (result.code === 0) return split(result.stdout, root);
  throw new SourceError({
    what: "git can't list the folder's files",
    where: `folder ${root}`,
    why: gitComplaint(result),
    fix: `check that you may read it: ls -la ${root}`,
  });
}

/** A repository with nothing in it: the least that git takes for one (gitrepository-layout(5)). */
function emptyRepository(): string {
  const path = join(cacheFolder("plain"), "empty.git");
  if (existsSync(path)) return path;
  const fresh = scratchFolder();
  try {
    mkdirSync(join(fresh, "objects"));
    mkdirSync(join(fresh, "refs"));
    writeFileSync(join(fresh, "HEAD"), "ref: refs/heads/main\n");
    renameSync(fresh, path);
  } catch (error) {
    // Another process was first: a folder that holds something can't be renamed over.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

function split(output: Buffer, root: string): string[] {
  const text = output.toString("utf8");
  // A name that isn't UTF-8 would come back changed, and two such names could come back the same.
  if (text.includes("\uFFFD") && !Buffer.from(text, "utf8").equals(output)) {
    const bad = text.split("\0").find((path) => path.includes("\uFFFD")) ?? "";
    throw new SourceError({
      what: `The file name "${bad}" isn't UTF-8`,
      where: `folder ${root}`,
      why: "such a name means different files on different machines",
      fix: "rename it, or leave it out by .gitignore",
    });
  }
  return text.split("\0").filter((path) => path !== "");
}
