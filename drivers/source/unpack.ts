import { posix } from "node:path";
import { normalDirectory, whereOf } from "./check";
import { byPath } from "./digest";
import { SourceError } from "./error";
import { checkLinks } from "./links";
import { checkMembers } from "./members";
import { nearest } from "./near";
import type { Spool } from "./spool";
import type { TarEntry } from "./tar";
import { readTar, type TarMember } from "./untar";
import type { TarballSource, UnpackLimits } from "./types";

type Members = Map<string, TarMember>;

/**
 * Reads the release out of an archive. Nothing is written under a name that the archive gives, so no name can lead
 * anywhere; names, links and types are checked all the same, for the host that will unpack the release.
 * @param archive the archive's bytes, already compared with what was expected
 * @param content receives the files' content
 * @throws SourceError
 */
export async function* archiveEntries(
  source: TarballSource,
  archive: Spool,
  content: Spool,
  limits: UnpackLimits = {},
): AsyncGenerator<TarEntry> {
  const where = whereOf(source);
  const all: Members = await readTar(archive, content, where, limits);
  const folders = [...all.keys()].filter((path) => all.get(path)?.type === "dir");
  checkMembers(leavesOf(all), where, folders);
  const stripped = stripTop(all);
  const members = below(stripped, normalDirectory(source.directory));
  if (leavesOf(members).length === 0) throw nothing(source, stripped);
  const links = new Map<string, string>();
  for (const [path, member] of members) if (member.type === "link") links.set(path, member.target);
  checkLinks(links, where);
  for (const { path, member } of [...members].map(([path, member]) => ({ path, member })).sort(byPath)) {
    if (member.type === "dir") yield { path, type: "dir" };
    else if (member.type === "link") yield { path, type: "link", target: member.target };
    else yield { path, type: member.type, size: member.size, content: content.read(member.offset, member.size) };
  }
}

function leavesOf(members: Members): string[] {
  return [...members.keys()].filter((path) => members.get(path)?.type !== "dir");
}

/** Takes the single folder at the top away, if everything is in one. */
function stripTop(all: Members): Members {
  const tops = new Set([...all.keys()].map((path) => path.split("/", 1)[0] ?? ""));
  const [top] = tops;
  if (tops.size !== 1 || top === undefined || (all.get(top)?.type ?? "dir") !== "dir") return all;
  return below(all, top);
}

function below(members: Members, folder: string): Members {
  if (folder === "") return members;
  const found: Members = new Map();
  for (const [path, member] of members) {
    if (path.startsWith(`${folder}/`)) found.set(path.slice(folder.length + 1), member);
  }
  return found;
}

function nothing(source: TarballSource, members: Members): SourceError {
  const directory = normalDirectory(source.directory);
  const folders = new Set(leavesOf(members).map((path) => posix.dirname(path)));
  folders.delete(".");
  const near = nearest(directory, [...folders]);
  return new SourceError({
    what: directory === "" ? "The tarball has no files" : `The tarball has no folder "${directory}" with files`,
    where: whereOf(source),
    why: near.length === 0 ? "it has no folders" : `without its single top folder it has, near: ${near.join(", ")}`,
    fix: near.length === 0 ? "look what is in it: tar -tf <file>" : "set directory to one of its folders",
  });
}
