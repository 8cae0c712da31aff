import { createHash, randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Takes one line of progress, without its line end. */
export type Log = (line: string) => void;

/** The folder of everything that can be made again: $HOMEPORT_CACHE, else the user's cache folder (XDG base directories). */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const own = env["HOMEPORT_CACHE"];
  if (own !== undefined && own !== "") return path.resolve(own);
  const users = env["XDG_CACHE_HOME"];
  return path.join(users !== undefined && users !== "" ? users : path.join(homedir(), ".cache"), "homeport");
}

/** The engine's part of the cache. */
export const engineCache = (env: NodeJS.ProcessEnv = process.env): string => path.join(cacheRoot(env), "engine");

/** A short hash of files' names and contents and of further texts, for the name of what is made from them. */
export function fingerprint(files: readonly string[], ...texts: string[]): string {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${path.basename(file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  for (const text of texts) hash.update(`${text}\0`);
  return hash.digest("hex").slice(0, 16);
}

/**
 * Makes a folder once: `make` fills a folder beside it, which then takes its name in one step, so that the folder is
 * never seen half made. A second process that wants the same folder waits; the lock only saves it the work.
 * @param what named in the progress, for example "the Pulumi CLI"
 * @throws whatever `make` throws; nothing is left behind then
 */
export async function makeOnce(
  folder: string,
  what: string,
  log: Log,
  make: (into: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return;
  mkdirSync(path.dirname(folder), { recursive: true });
  const release = await lock(`${folder}.lock`, () => existsSync(folder), what, log);
  if (release === undefined) return;
  const into = `${folder}.tmp-${String(process.pid)}-${randomUUID().slice(0, 8)}`;
  const cleanUp = (): void => {
    rmSync(into, { recursive: true, force: true });
    release();
  };
  process.once("exit", cleanUp);
  try {
    removeAbandoned(folder);
    mkdirSync(into);
    await make(into);
    moveUnlessThere(into, folder);
  } finally {
    process.off("exit", cleanUp);
    cleanUp();
  }
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** Holding the lock, no other process is at work, unless it took the lock for abandoned; it then starts again. */
function removeAbandoned(folder: string): void {
  const prefix = `${path.basename(folder)}.tmp-`;
  for (const name of readdirSync(path.dirname(folder))) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length).split("-")[0]))) continue;
    rmSync(path.join(path.dirname(folder), name), { recursive: true, force: true });
  }
}

/** @returns what gives the lock back, or undefined once `done` says that there is nothing left to do */
async function lock(file: string, done: () => boolean, what: string, log: Log): Promise<(() => void) | undefined> {
  const release = (): void => {
    rmSync(file, { force: true });
  };
  for (let waited = 0; ; waited += 1) {
    const isHeld = !take(file);
    if (done()) {
      if (!isHeld) release();
      return undefined;
    }
    if (!isHeld) return release;
    const holder = holderOf(file);
    if (holder !== undefined && !isAlive(holder)) release();
    else if (holder !== undefined && waited % 40 === 0) {
      log(`${what}: process ${String(holder)} is making it, waiting (${String(waited / 4)} s)`);
    }
    await sleep(250);
  }
}

/** Makes the lock with its content in one step, unless it is there. */
function take(file: string): boolean {
  const mine = `${file}-${String(process.pid)}-${randomUUID().slice(0, 8)}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(mine);
  }
}

/** Undefined where the lock is gone. */
function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
