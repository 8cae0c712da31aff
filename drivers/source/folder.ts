import { realpathSync, readdirSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { normalDirectory, whereOf } from "./check";
import { contentId, treeDigest } from "./digest";
import { errorCode, SourceError } from "./error";
import { nearest } from "./near";
import { absolutePath } from "./paths";
import type { TarEntry } from "./tar";
import { readFolder, type FolderSummary } from "./tree";
import type { Fingerprint, FolderSource } from "./types";

/** The fingerprint of a folder's files as they are now. Changes nothing there. */
export async function fingerprintFolder(source: FolderSource, cwd: string): Promise<Fingerprint> {
  const summary: FolderSummary = { leaves: [], bytes: 0 };
  for await (const entry of readFolder(rootOf(source, cwd), summary)) await drain(entry);
  if (summary.leaves.length === 0) throw nothing(source);
  const count = summary.leaves.length;
  const place = [source.path.replace(/\/+$/, "") || "/", normalDirectory(source.directory)].filter(
    (part) => part !== "",
  );
  const size = `${count} ${count === 1 ? "file" : "files"}, ${humanBytes(summary.bytes)}`;
  return { id: idOf(source, summary), describe: `folder ${place.join("/")} (${size})` };
}

/**
 * The members of a folder's release, and an error at the end if they aren't what the fingerprint was taken of: bytes
 * already handed on must then be thrown away.
 */
export async function* folderEntries(source: FolderSource, id: string, cwd: string): AsyncGenerator<TarEntry> {
  const summary: FolderSummary = { leaves: [], bytes: 0 };
  yield* readFolder(rootOf(source, cwd), summary);
  if (idOf(source, summary) === id) return;
  throw new SourceError({
    what: "The folder changed since its fingerprint was taken",
    where: whereOf(source),
    why: "what would be deployed isn't what was previewed",
    fix: "run the command again, once nothing writes there (or leave what is written out by .gitignore)",
  });
}

function idOf(source: FolderSource, summary: FolderSummary): string {
  return contentId("folder", treeDigest(summary.leaves), normalDirectory(source.directory));
}

async function drain(entry: TarEntry): Promise<void> {
  if (entry.type !== "file" && entry.type !== "exec") return;
  const content = entry.content[Symbol.asyncIterator]();
  while (!(await content.next()).done);
}

/** The folder that becomes the release's root, without links on the way to it. */
function rootOf(source: FolderSource, cwd: string): string {
  const base = folderAt(source, absolutePath(source.path, cwd));
  const directory = normalDirectory(source.directory);
  if (directory === "") return base;
  const root = folderAt(source, join(base, directory));
  if (root.startsWith(base.endsWith(sep) ? base : base + sep)) return root;
  throw new SourceError({
    what: `The directory "${directory}" is outside of the folder`,
    where: whereOf(source),
    why: `it is a link to ${root}`,
    fix: `use the folder ${root} itself as the source`,
  });
}

function folderAt(source: FolderSource, path: string): string {
  let why = "it isn't a folder";
  try {
    const real = realpathSync(path);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    why = errorCode(error) === "ENOENT" ? "it doesn't exist" : error instanceof Error ? error.message : String(error);
  }
  const near = siblings(path);
  throw new SourceError({
    what: "The source's folder can't be used",
    where: `${whereOf(source)} (${path})`,
    why: near.length === 0 ? why : `${why}; beside it there are ${near.join(", ")}`,
    fix: "give the path of an existing folder; relative ones start at the project's folder",
  });
}

function siblings(path: string): string[] {
  try {
    const all = readdirSync(join(path, ".."), { withFileTypes: true });
    const names = all.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
    return nearest(path.split(sep).at(-1) ?? "", names);
  } catch {
    return [];
  }
}

function nothing(source: FolderSource): SourceError {
  return new SourceError({
    what: "The folder has no files to release",
    where: whereOf(source),
    why: "it is empty, or its .gitignore leaves everything out",
    fix: `look at what is left out: git -C ${source.path} status --ignored`,
  });
}

/** Bytes for people, in powers of 1000: `42 B`, `120 kB`, `1.5 MB`. */
export function humanBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit] ?? "TB"}`;
}
