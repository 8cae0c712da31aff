import { normalDirectory, whereOf } from "./check";
import { byPath } from "./digest";
import { SourceError } from "./error";
import { gitComplaint, runGit, startGit } from "./git";
import { checkLinks } from "./links";
import { checkMembers } from "./members";
import { DamagedMirror } from "./mirror";
import { nearest } from "./near";
import { ByteReader } from "./reader";
import type { TarEntry } from "./tar";
import type { GitSource } from "./types";

interface TreeMember {
  path: string;
  type: "file" | "exec" | "link";
  object: string;
  size: number;
}

/** A pointer file of Git LFS starts so (git-lfs, docs/spec.md) and is shorter than 1024 bytes. */
const LFS_START = "version https://git-lfs.github.com/spec/v1";
const LFS_MAX = 1024;

/**
 * The members of one commit's tree as stored, without the filters of a checkout or of `git archive`: line endings,
 * `export-ignore` and `export-subst` change nothing.
 * @param repository a bare repository that has the commit
 * @throws SourceError, or DamagedMirror when objects are missing
 */
export async function* commitEntries(repository: string, source: GitSource, commit: string): AsyncGenerator<TarEntry> {
  const where = whereOf(source);
  const members = await listTree(repository, source, commit);
  const links = members.filter((member) => member.type === "link");
  const files = members.filter((member) => member.type !== "link");
  const objects = [...links, ...files].map((member) => `${member.object}\n`);

  const child = startGit([`--git-dir=${repository}`, "cat-file", "--batch"]);
  // Its output ends then, which is noticed below.
  child.once("error", () => undefined);
  child.stderr?.resume();
  // git may end before it has read all; what it didn't answer is then missed below.
  child.stdin?.on("error", () => undefined).end(objects.join(""));
  try {
    if (child.stdout === null) throw new DamagedMirror("no output");
    const reader = new ByteReader(child.stdout as AsyncIterable<Buffer>);
    const targets = new Map<string, string>();
    for (const link of links) {
      targets.set(link.path, (await wholeAnswer(reader, link)).toString("utf8"));
    }
    checkLinks(targets, where);
    for (const member of members) {
      if (member.type === "link") yield { path: member.path, type: "link", target: targets.get(member.path) ?? "" };
      else yield { ...member, type: member.type, content: fileContent(reader, member, where) };
    }
  } finally {
    child.kill("SIGKILL");
    child.stdout?.destroy();
  }
}

async function* fileContent(reader: ByteReader, member: TreeMember, where: string): AsyncGenerator<Buffer> {
  if (member.size >= LFS_MAX) {
    yield* answer(reader, member);
    return;
  }
  const whole = await wholeAnswer(reader, member);
  if (whole.toString("latin1").startsWith(LFS_START)) {
    throw new SourceError({
      what: `"${member.path}" is kept in Git LFS`,
      where,
      why: "the commit holds only a pointer to it, and the release would too",
      fix: "deploy a checkout as a folder instead: git lfs pull, then set the source to its path",
    });
  }
  yield whole;
}

async function listTree(repository: string, source: GitSource, commit: string): Promise<TreeMember[]> {
  const directory = normalDirectory(source.directory);
  const where = whereOf(source);
  const tree = directory === "" ? `${commit}^{tree}` : `${commit}:${directory}`;
  const result = await runGit([`--git-dir=${repository}`, "ls-tree", "-r", "-z", "-l", tree]);
  if (result.code !== 0) throw await noDirectory(repository, source, commit, gitComplaint(result));
  const members: TreeMember[] = [];
  for (const line of result.stdout.toString("utf8").split("\0")) {
    if (line === "") continue;
    const match = /^(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line);
    // The size of an object that can't be read is told as BAD.
    if (match === null) throw new DamagedMirror(line);
    const [, mode = "", kind, object = "", size = "", path = ""] = match;
    if (kind !== "blob") throw submodule(path, where);
    const type = mode === "120000" ? "link" : (parseInt(mode, 8) & 0o100) === 0 ? "file" : "exec";
    members.push({ path, type, object, size: Number(size) });
  }
  if (members.length === 0) throw await noDirectory(repository, source, commit, "it is empty");
  const paths = members.map((member) => member.path);
  checkMembers(paths, where);
  return members.sort(byPath);
}

async function noDirectory(repository: string, source: GitSource, commit: string, why: string): Promise<Error> {
  const all = await runGit([`--git-dir=${repository}`, "ls-tree", "-r", "-d", "-z", "--name-only", `${commit}^{tree}`]);
  if (all.code !== 0) return new DamagedMirror(gitComplaint(all));
  const directory = normalDirectory(source.directory);
  const names = all.stdout
    .toString("utf8")
    .split("\0")
    .filter((name) => name !== "");
  // The tree has the folder: then what failed is reading its objects.
  if (names.includes(directory) && why !== "it is empty") return new DamagedMirror(why);
  if (directory === "" && why !== "it is empty") return new DamagedMirror(why);
  const near = nearest(directory, names);
  return new SourceError({
    what: directory === "" ? "The commit has no files" : `The commit has no folder "${directory}"`,
    where: whereOf(source),
    why: near.length === 0 ? `commit ${commit} has no folders` : `commit ${commit} has, near: ${near.join(", ")}`,
    fix: near.length === 0 ? "leave directory out" : "set directory to one of its folders",
  });
}

function submodule(path: string, where: string): SourceError {
  return new SourceError({
    what: `"${path}" is a submodule`,
    where,
    why: "a commit holds only a reference to its submodules, and the release would lack their files",
    fix: "set directory to a folder without submodules, or deploy a checkout as a folder: git submodule update --init --recursive",
  });
}

/**
 * The next answer of `git cat-file --batch`, which must be that of the member: `<object> blob <size>\n<content>\n`. Has
 * to be read to its end before the next one is asked for.
 */
async function* answer(reader: ByteReader, member: TreeMember): AsyncGenerator<Buffer> {
  const head = await reader.line();
  if (head !== `${member.object} blob ${member.size}`)
    throw new DamagedMirror(`${member.path}: ${head ?? "no answer"}`);
  yield* reader.take(member.size);
  if ((await reader.line()) !== "") throw new DamagedMirror(`${member.path}: not as announced`);
}

async function wholeAnswer(reader: ByteReader, member: TreeMember): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of answer(reader, member)) parts.push(part);
  return Buffer.concat(parts);
}
