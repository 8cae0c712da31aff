import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { commitEntries } from "./blobs";
import { cacheDir } from "./cache";
import { checkSource, whereOf } from "./check";
import { errorCode, SourceError } from "./error";
import { folderEntries } from "./folder";
import { DamagedMirror, mirrorOf } from "./mirror";
import { gitId, gitRemote } from "./remote";
import { Spool } from "./spool";
import { writeTar, type TarEntry } from "./tar";
import { readTarball } from "./tarball";
import { through } from "./through";
import { archiveEntries } from "./unpack";
import type { Fingerprint, GitSource, PackedSource, Source, SourceOptions, TarballSource, UnpackLimits } from "./types";

/**
 * Of zlib. Measured on 15 MB of JavaScript: level 1 takes 0.14 s and leaves 3.1 MB, level 6 0.78 s and 2.4 MB; the faster
 * one wins on any link above 1 MB/s.
 */
const LEVEL = 1;

/** Small members are joined to chunks of this size: zlib takes a thread's turn for each chunk. */
const CHUNK = 256 * 1024;

/**
 * Packs what a fingerprint was taken of, and nothing else: a source whose content is another one by now is an error.
 * @param limits for tarballs
 * @throws SourceError
 */
export async function pack(
  source: Source,
  fingerprint: Fingerprint,
  options: SourceOptions & { limits?: UnpackLimits },
): Promise<PackedSource> {
  checkSource(source);
  try {
    if (source.kind === "folder") return await write(folderEntries(source, fingerprint.id, options.cwd));
    if (source.kind === "git") return await packCommit(source, fingerprint, options.cwd);
    return await packTarball(source, fingerprint, options.cwd, options.limits);
  } catch (error) {
    throw errorCode(error) === "ENOSPC" ? diskFull(source) : error;
  }
}

async function packCommit(source: GitSource, fingerprint: Fingerprint, cwd: string): Promise<PackedSource> {
  const { commit } = fingerprint;
  if (commit === undefined || gitId(source, commit) !== fingerprint.id) throw foreign(source);
  const remote = gitRemote(source, cwd);
  try {
    return await write(commitEntries(await mirrorOf(source, remote, commit), source, commit));
  } catch (error) {
    if (!(error instanceof DamagedMirror)) throw error;
  }
  return write(commitEntries(await mirrorOf(source, remote, commit, true), source, commit));
}

async function packTarball(
  source: TarballSource,
  fingerprint: Fingerprint,
  cwd: string,
  limits?: UnpackLimits,
): Promise<PackedSource> {
  const archive = await readTarball(source, fingerprint.id, cwd);
  const content = new Spool();
  try {
    return await write(archiveEntries(source, archive, content, limits));
  } finally {
    await archive.dispose();
    await content.dispose();
  }
}

async function write(entries: AsyncIterable<TarEntry>): Promise<PackedSource> {
  const spool = new Spool();
  try {
    const tar = Readable.from(joined(writeTar(entries)), { objectMode: false });
    for await (const chunk of through(tar, createGzip({ level: LEVEL }))) spool.append(chunk);
  } catch (error) {
    await spool.dispose();
    throw error;
  }
  return { stream: () => spool.read(), bytes: spool.size, dispose: () => spool.dispose() };
}

async function* joined(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes < CHUNK) continue;
    yield Buffer.concat(parts, bytes);
    parts = [];
    bytes = 0;
  }
  yield Buffer.concat(parts, bytes);
}

function foreign(source: Source): SourceError {
  return new SourceError({
    what: "The fingerprint isn't one of this source",
    where: whereOf(source),
    why: "it was taken of another repository, commit or directory",
    fix: "run the command again",
  });
}

function diskFull(source: Source): SourceError {
  return new SourceError({
    what: "There is no space left to pack the release",
    where: whereOf(source),
    why: `the disk that holds ${cacheDir()} is full`,
    fix: "free some space, or set HOMEPORT_CACHE to a folder on another disk",
  });
}
