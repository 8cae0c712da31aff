import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { normalDirectory, whereOf } from "./check";
import { contentId } from "./digest";
import { cachedDownload, download } from "./download";
import { errorCode, SourceError } from "./error";
import { absolutePath } from "./paths";
import { redact } from "./redact";
import { Spool } from "./spool";
import type { Fingerprint, TarballSource } from "./types";

/** The fingerprint of an archive, by the hash of its file. Downloads it to the cache when it is at a URL. */
export async function fingerprintTarball(source: TarballSource, cwd: string): Promise<Fingerprint> {
  const sha256 = isUrl(source)
    ? (await download(source.location, source.sha256)).sha256
    : await hashFile(source, absolutePath(source.location, cwd));
  checkSha256(source, sha256);
  const directory = normalDirectory(source.directory);
  const inside = directory === "" ? "" : `:${directory}`;
  // Its name is enough: a URL may be long, and its query secret.
  const name = redact(source.location).replace(/\?.*$/s, "");
  return { id: tarballId(source, sha256), describe: `tarball ${name}${inside} (sha256 ${sha256.slice(0, 7)})` };
}

/**
 * The archive that the fingerprint was taken of: its bytes are read once and compared before anything looks at them.
 * A download is taken from the cache when it is there.
 * @throws SourceError when the file or what the URL gives has changed
 */
export async function readTarball(source: TarballSource, id: string, cwd: string): Promise<Spool> {
  if (!isUrl(source)) return readChecked(source, absolutePath(source.location, cwd), id);
  const cached = cachedDownload((sha256) => tarballId(source, sha256) === id);
  if (cached !== undefined) {
    try {
      return await readChecked(source, cached.path, id);
    } catch (error) {
      // The cache's copy was damaged, or swept just now.
      if (!(error instanceof SourceError)) throw error;
    }
  }
  const found = await download(source.location, source.sha256, true);
  return readChecked(source, found.path, id);
}

async function readChecked(source: TarballSource, path: string, id: string): Promise<Spool> {
  const spool = new Spool();
  try {
    checkTarballId(source, await hashFile(source, path, spool), id);
    return spool;
  } catch (error) {
    await spool.dispose();
    throw error;
  }
}

function checkTarballId(source: TarballSource, sha256: string, id: string): void {
  checkSha256(source, sha256);
  if (tarballId(source, sha256) === id) return;
  throw new SourceError({
    what: "The tarball changed since its fingerprint was taken",
    where: whereOf(source),
    why: `its sha256 is ${sha256} now; what would be deployed isn't what was previewed`,
    fix: "run the command again; set sha256 to be sure of what is deployed",
  });
}

function isUrl(source: TarballSource): boolean {
  return source.location.includes("://");
}

function tarballId(source: TarballSource, sha256: string): string {
  return contentId("tarball", sha256, normalDirectory(source.directory));
}

function checkSha256(source: TarballSource, sha256: string): void {
  if (source.sha256 === undefined || source.sha256.toLowerCase() === sha256) return;
  throw new SourceError({
    what: "The tarball isn't the expected one",
    where: whereOf(source),
    why: `its sha256 is ${sha256}, and the source asks for ${source.sha256.toLowerCase()}`,
    fix: "find out why it differs; if the new file is the right one, set sha256 to its hash",
  });
}

async function hashFile(source: TarballSource, path: string, copy?: Spool): Promise<string> {
  const hash = createHash("sha256");
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    if (!(await file.stat()).isFile()) throw new Error("it isn't a file");
    for await (const chunk of file.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false })) {
      hash.update(chunk as Buffer);
      copy?.append(chunk as Buffer);
    }
  } catch (error) {
    throw errorCode(error) === "ENOSPC" ? error : fileError(source, path, error);
  } finally {
    await file?.close();
  }
  return hash.digest("hex");
}

/** What to tell when an archive's file can't be read. */
function fileError(source: TarballSource, path: string, error: unknown): SourceError {
  return new SourceError({
    what: "The tarball can't be read",
    where: `${whereOf(source)} (${path})`,
    why: error instanceof Error ? error.message : String(error),
    fix: "give the path of an existing file; relative ones start at the project's folder",
  });
}
