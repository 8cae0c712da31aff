import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Reads a leading `~/` as the home folder: configuration isn't read by a shell. */
export function homePath(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

/** A source's path as an absolute one. */
export function absolutePath(path: string, cwd: string): string {
  return resolve(cwd, homePath(path));
}
