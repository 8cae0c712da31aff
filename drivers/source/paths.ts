import { lstatSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { errorCode, SourceError } from "./error";

/** Reads a leading `~/` as the home folder: configuration isn't read by a shell. */
export function homePath(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

/** A source's path as an absolute one. */
export function absolutePath(path: string, cwd: string): string {
  return resolve(cwd, homePath(path));
}

/**
 * What is at a path, links not followed; undefined when nothing is there.
 * @throws SourceError when that can't be told
 */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, error);
  }
}

/** What to tell of a file that the system doesn't let us read. */
export function unreadable(path: string, error: unknown): SourceError {
  return new SourceError({
    what: "A file of the folder can't be read",
    where: path,
    why: error instanceof Error ? error.message : String(error),
    fix: "make it readable (chmod u+r), or leave it out by .gitignore",
  });
}
