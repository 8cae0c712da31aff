import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { SourceError } from "./error";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The folder of homeport's caches: HOMEPORT_CACHE, else `homeport` under XDG_CACHE_HOME or ~/.cache. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env["HOMEPORT_CACHE"]) return resolve(env["HOMEPORT_CACHE"]);
  // The XDG base directory specification has relative values ignored.
  const xdg = env["XDG_CACHE_HOME"];
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "homeport");
}

/**
 * A folder of the cache that only this user can read, made when missing.
 * @throws SourceError when it can't be made
 */
export function cacheFolder(name: string): string {
  const path = join(cacheDir(), name);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SourceError({
      what: "The cache can't be used",
      where: path,
      why: error instanceof Error ? error.message : String(error),
      fix: "make its folder writable, or set HOMEPORT_CACHE to one that is",
    });
  }
  return path;
}

/** A new empty folder that only this user can read, on the cache's file system. */
export function scratchFolder(): string {
  return mkdtempSync(join(cacheFolder("scratch"), "s-"));
}

/** Removes what killed runs left in a folder of the cache, and what nobody used for long. */
export function sweep(name: string, days: number): void {
  const folder = cacheFolder(name);
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
    if (age > days * DAY_MS) rmSync(path, { recursive: true, force: true });
  }
}
