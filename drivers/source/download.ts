import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { cacheFolder, scratchFolder, sweep } from "./cache";
import { get, refusedStatus, unreachable } from "./http";

/** A downloaded archive in the cache. */
export interface Download {
  path: string;
  /** Hex, of the bytes as they came; whoever reads the file later has to compare again. */
  sha256: string;
}

/** 8 GiB. */
const MAX_BYTES = 2 ** 33;

const UNUSED_DAYS = 30;

/** What a server said of a URL's content, to ask it later whether that still holds (RFC 9110, 13.1). */
interface Remembered {
  sha256: string;
  etag?: string;
  modified?: string;
}

/**
 * The archive at a URL. Unchanged content isn't sent again where the server gives an ETag or Last-Modified; with a
 * known hash that is in the cache, the network isn't used at all.
 * @param sha256 the hash that the content should have; not compared here
 * @param again whether to leave aside what is in the cache
 * @throws SourceError
 */
export async function download(location: string, sha256?: string, again = false): Promise<Download> {
  sweep("downloads", UNUSED_DAYS);
  if (!again && sha256 !== undefined && existsSync(pathOf(sha256))) return used(sha256);
  const memory = join(cacheFolder("downloads"), `${createHash("sha256").update(location).digest("hex")}.json`);
  const known = again ? undefined : remembered(memory);
  const response = await get(location, known === undefined ? {} : conditions(known));
  if (response.statusCode === 304 && known !== undefined) {
    response.destroy();
    return used(known.sha256);
  }
  if (response.statusCode !== 200) {
    response.destroy();
    throw refusedStatus(location, response.statusCode ?? 0);
  }
  const now: Remembered = { sha256: await store(location, response) };
  const { etag, "last-modified": modified } = response.headers;
  if (etag !== undefined) now.etag = etag;
  if (modified !== undefined) now.modified = modified;
  inScratch((folder) => {
    const file = join(folder, "file");
    writeFileSync(file, JSON.stringify(now), { mode: 0o600 });
    renameSync(file, memory);
  });
  return used(now.sha256);
}

/** An archive downloaded before, chosen by its hash; undefined when there is none. */
export function cachedDownload(wanted: (sha256: string) => boolean): Download | undefined {
  const found = readdirSync(cacheFolder("downloads")).find((name) => /^[0-9a-f]{64}$/.test(name) && wanted(name));
  return found === undefined ? undefined : used(found);
}

function conditions(known: Remembered): Record<string, string> {
  if (known.etag !== undefined) return { "if-none-match": known.etag };
  return known.modified === undefined ? {} : { "if-modified-since": known.modified };
}

function pathOf(sha256: string): string {
  return join(cacheFolder("downloads"), sha256.toLowerCase());
}

function used(sha256: string): Download {
  const path = pathOf(sha256);
  utimesSync(path, new Date(), new Date());
  return { path, sha256: sha256.toLowerCase() };
}

function remembered(memory: string): Remembered | undefined {
  try {
    const known = JSON.parse(readFileSync(memory, "utf8")) as Remembered;
    return existsSync(pathOf(known.sha256)) ? known : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a body to the cache under the name of its hash, where it appears only when it is whole. */
async function store(location: string, response: IncomingMessage): Promise<string> {
  const folder = scratchFolder();
  const body = join(folder, "body");
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    await pipeline(
      response,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`);
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(body, { mode: 0o600 }),
    );
    const sha256 = hash.digest("hex");
    renameSync(body, pathOf(sha256));
    return sha256;
  } catch (error) {
    throw unreachable(location, error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inScratch(task: (folder: string) => void): void {
  const folder = scratchFolder();
  try {
    task(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
