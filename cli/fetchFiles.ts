import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, lstat, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import { DriverError } from "../drivers/error";
import type { Objects, StoredObject } from "../drivers/s3/objects";
import { partMark, shownKey } from "./archiveNames";

/** Milliseconds before each further try of a transfer that broke. */
export const pauses: readonly number[] = [1_000, 4_000, 15_000];

/** Names a part of a file, another one each time. */
export const newMark = (): string => randomBytes(8).toString("hex");

/** Counts what passes. */
export const counter = (onBytes: (bytes: number) => void): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
  });

export interface Download {
  readonly objects: Pick<Objects, "read">;
  readonly object: StoredObject;
  /** A file that isn't there yet. */
  readonly to: string;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
  /** Told before another try. */
  readonly onRetry: (why: string) => void;
  /** @default `pauses` */
  readonly waits?: readonly number[];
}

/**
 * Fetches an object's bytes as they are kept, readable by this user alone; a transfer that breaks is tried again.
 * @throws DriverError where it can't be had whole; nothing is left then
 */
export async function download({
  objects,
  object,
  to,
  signal,
  onBytes,
  onRetry,
  waits = pauses,
}: Download): Promise<void> {
  for (let tries = 0; ; tries++) {
    let got = 0;
    try {
      const body = await objects.read(object.key, signal);
      const counted = counter((more) => {
        got += more;
        onBytes(more);
      });
      await pipeline(body, counted, createWriteStream(to, { flags: "wx", mode: 0o600 }), { signal });
      if (got === object.bytes) return;
      throw new Error(`${got} of ${object.bytes} bytes arrived`);
    } catch (error) {
      // A file of that name that isn't ours was there before.
      if (codeOf(error) !== "EEXIST") await rm(to, { force: true });
      if (signal.aborted || error instanceof DriverError || isOfDisk(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      const wait = waits[tries];
      if (wait === undefined) {
        throw new DriverError({
          what: `"${shownKey(object.key)}" could not be fetched whole.`,
          where: to,
          why: `${why}, ${tries + 1} times`,
          fix: "look at the network and run it again: what is there already stays",
        });
      }
      onRetry(why);
      await delay(wait, undefined, { signal });
    }
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
const isOfDisk = (error: unknown): boolean =>
  /^(ENOSPC|EDQUOT|EACCES|EPERM|EROFS|EEXIST|EIO)$/.test(codeOf(error) ?? "");

/** Unpacks a file into another that isn't there yet, which is removed where that fails. @returns its size */
export async function unpack(from: string, to: string, key: string, signal: AbortSignal): Promise<number> {
  try {
    return await inflate(from, createWriteStream(to, { flags: "wx", mode: 0o600 }), key, signal);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

/** A file whose name says gzip and whose content doesn't. */
export class NotGzip extends DriverError {}

/** How large a file is unpacked, which also proves that it can be. */
export const unpackedBytes = (from: string, key: string, signal: AbortSignal): Promise<number> =>
  inflate(
    from,
    new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    }),
    key,
    signal,
  );

async function inflate(from: string, to: Writable, key: string, signal: AbortSignal): Promise<number> {
  let size = 0;
  const counted = counter((more) => {
    size += more;
  });
  try {
    await pipeline(createReadStream(from), createGunzip(), counted, to, { signal });
    return size;
  } catch (error) {
    if (!/^Z_/.test(codeOf(error) ?? "")) throw error;
    throw new NotGzip({
      what: `"${shownKey(key)}" can't be unpacked.`,
      where: "the archive",
      why: `its name ends in .gz, and its content isn't whole gzip: ${error instanceof Error ? error.message : ""}`,
      fix: "leave it out by --prefix, --from and --to, or fetch it as it is: --packed",
    });
  }
}

/**
 * A file's folder below a root, made where it lacks. A link on the way is refused: it may lead out of the root.
 * @param path as `fileNames` makes it
 */
export async function folderBelow(root: string, path: string): Promise<string> {
  await mkdir(root, { recursive: true });
  let folder = root;
  for (const name of path.split("/").slice(0, -1)) {
    folder = join(folder, name);
    await mkdir(folder).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
    if (!(await lstat(folder)).isDirectory()) {
      throw new DriverError({
        what: "A file can't be put where its key says.",
        where: folder,
        why: "there is a file or a link of the folder's name",
        fix: "move that away, or name another --folder",
      });
    }
  }
  return folder;
}

/** Whether something has the name of a file. @throws DriverError where it is a folder */
export async function isThere(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  });
  if (found?.isDirectory() !== true) return found !== undefined;
  throw new DriverError({
    what: `${basename(path)} can't be put there.`,
    where: path,
    why: "there is a folder of that name",
    fix: "move it away, or name another --folder",
  });
}

/** The part of a file beside the place that it will have. */
export const partOf = (path: string): string => join(dirname(path), `${partMark}${newMark()}`);

/** Gives a whole file its name. @returns false where one of its name is there and stays */
export async function settle(part: string, path: string, overwrite: boolean): Promise<boolean> {
  if (overwrite) {
    await rename(part, path);
    return true;
  }
  try {
    // A second name is refused where there is one, which a rename isn't.
    await link(part, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // File systems without links, where nobody can keep a name from being taken meanwhile.
    if (await isThere(path)) return false;
    await rename(part, path);
    return true;
  }
  await rm(part);
  return true;
}

/** What a person is told of a file of this machine that can't be read or written. */
export function explainFile(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (!("syscall" in error) || error instanceof DriverError) return error;
  const path = "path" in error && typeof error.path === "string" ? error.path : "this machine";
  return new DriverError({
    what: "A file of this machine can't be read or written.",
    where: path,
    why: error.message,
    fix: "see that the folder is yours and its disk has room (df), then again: what is there already stays",
  });
}
