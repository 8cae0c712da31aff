import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, SourceError } from "./error";

/** Milliseconds between two signs of life of an owner, and without one until its lock counts as left behind. */
const BEAT_MS = 5_000;
const STALE_MS = 30_000;

interface Owner {
  pid: number;
  host: string;
  token: string;
}

/**
 * Runs a task that no other holder of the lock file runs at the same time, in this process or another one. A lock whose
 * owner died is taken over. Two waiters may in theory take over the same dead lock within microseconds; what is locked
 * here stays correct then (git locks its own files), it is only done twice.
 * @param waitMs how long to wait for the others
 * @throws SourceError when they take longer
 */
export async function locked<T>(path: string, waitMs: number, task: () => Promise<T>): Promise<T> {
  const owner: Owner = { pid: process.pid, host: hostname(), token: randomUUID() };
  const end = Date.now() + waitMs;
  while (!take(path, owner)) {
    if (Date.now() > end) throw tooLong(path);
    if (!removeStale(path)) await sleep(20 + Math.random() * 80);
  }
  const beat = setInterval(() => {
    if (read(path)?.token === owner.token) utimesSync(path, new Date(), new Date());
  }, BEAT_MS).unref();
  try {
    return await task();
  } finally {
    clearInterval(beat);
    if (read(path)?.token === owner.token) rmSync(path, { force: true });
  }
}

function take(path: string, owner: Owner): boolean {
  try {
    const file = openSync(path, "wx", 0o600);
    writeSync(file, JSON.stringify(owner));
    closeSync(file);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** Undefined when there is none, or its owner is just writing it. */
function read(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Owner;
  } catch {
    return undefined;
  }
}

function removeStale(path: string): boolean {
  const owner = read(path);
  const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
  if (age === -Infinity) return true;
  const dead = owner?.host === hostname() && !isAlive(owner.pid);
  if (!dead && age < STALE_MS) return false;
  // Renaming is what only one of several waiters can do.
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return true;
  }
  rmSync(aside, { force: true });
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

function tooLong(path: string): SourceError {
  const pid = read(path)?.pid;
  return new SourceError({
    what: "Another run holds the cache of this repository for too long",
    where: path,
    why: pid === undefined ? "it fetches from the same repository" : `process ${pid} fetches from the same repository`,
    fix: "wait for it, or end it; then run the command again",
  });
}
