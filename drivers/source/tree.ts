import { closeSync, constants, fstatSync, openSync, readSync, readlinkSync } from "node:fs";
import { createHash, type Hash } from "node:crypto";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { byPath, type Leaf } from "./digest";
import { errorCode, SourceError } from "./error";
import { checkLinks } from "./links";
import { listFolder } from "./listing";
import { statOf, unreadable } from "./paths";
import type { TarEntry } from "./tar";

/** What reading a whole folder yields, beside the members themselves. */
export interface FolderSummary {
  leaves: Leaf[];
  /** Sum of the files' sizes. */
  bytes: number;
}

const CHUNK = 1024 * 1024;

/** Files are read synchronously, which is several times as fast for small ones; after so many bytes others get a turn. */
const TURN_BYTES = 4 * CHUNK;

/** What opening, reading and closing a small file costs, as if it were bytes. */
const FILE_COST = 16 * 1024;

/**
 * Reads the release's files below a folder, in the order of their paths. Sockets, pipes and devices are left out, as
 * git does. Each file's hash is taken from the very bytes handed on.
 * @param summary receives each member once the caller has read it to its end
 * @throws SourceError
 */
export async function* readFolder(root: string, summary: FolderSummary): AsyncGenerator<TarEntry> {
  const members = await findMembers(root);
  let turn = 0;
  for (const { path, target } of members) {
    if (target !== undefined) {
      yield { path, type: "link", target };
      summary.leaves.push({ path, type: "link", sha256: createHash("sha256").update(target).digest() });
      continue;
    }
    const file = open(root, path);
    if (file === undefined) continue;
    try {
      const { mode, size } = fstatSync(file);
      const type = (mode & constants.S_IXUSR) === 0 ? "file" : "exec";
      const hash = createHash("sha256");
      yield { path, type, size, content: read(file, size, hash, () => changed(root, path)) };
      summary.leaves.push({ path, type, sha256: hash.digest() });
      summary.bytes += size;
      turn += size + FILE_COST;
    } finally {
      closeSync(file);
    }
    if (turn > TURN_BYTES) {
      turn = 0;
      await setImmediate();
    }
  }
}

interface Member {
  path: string;
  /** For links. */
  target?: string;
}

/** The listed paths that are there, as files or links, sorted; links are checked. */
async function findMembers(root: string): Promise<Member[]> {
  const members: Member[] = [];
  const links = new Map<string, string>();
  const folders = new Map<string, boolean>([[".", true]]);
  // A path that git still tracks may now lie behind a link: what is there belongs to the link's target.
  const isFolder = (path: string): boolean => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    const is = isFolder(dirname(path)) && (statOf(join(root, path))?.isDirectory() ?? false);
    folders.set(path, is);
    return is;
  };
  for (const path of await listFolder(root)) {
    if (!isFolder(dirname(path))) continue;
    const found = statOf(join(root, path));
    if (found?.isSymbolicLink()) {
      const target = readlinkSync(join(root, path));
      links.set(path, target);
      members.push({ path, target });
    } else if (found?.isFile()) {
      members.push({ path });
    }
  }
  checkLinks(links, `folder ${root}`);
  return members.sort(byPath);
}

/** Undefined when the file was removed since it was found. */
function open(root: string, path: string): number | undefined {
  const full = join(root, path);
  try {
    // A file swapped for a link must not be followed, nor a pipe wait for its other end.
    return openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ELOOP" || code === "ENXIO") throw changed(root, path);
    throw unreadable(full, error);
  }
}

async function* read(file: number, size: number, hash: Hash, short: () => SourceError): AsyncGenerator<Buffer> {
  let turn = 0;
  for (let offset = 0; offset < size;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - offset));
    const got = readSync(file, chunk, 0, chunk.length, offset);
    if (got === 0) throw short();
    offset += got;
    const part = chunk.subarray(0, got);
    hash.update(part);
    yield part;
    turn += got;
    if (turn > TURN_BYTES) {
      turn = 0;
      await setImmediate();
    }
  }
}

function changed(root: string, path: string): SourceError {
  return new SourceError({
    what: "The folder changes while it is read",
    where: `folder ${root}`,
    why: `"${path}" is being written`,
    fix: "stop what writes there, or leave the file out by .gitignore, and run the command again",
  });
}
