import { createGunzip } from "node:zlib";
import { SourceError } from "./error";
import { ByteReader } from "./reader";
import type { Spool } from "./spool";
import { through } from "./through";
import { readHeader, TarFormatError, type TarHeader } from "./untar-header";
import type { UnpackLimits } from "./types";

/** A member of an archive; the content of files lies in a spool. */
export type TarMember =
  { type: "dir" } | { type: "link"; target: string } | { type: "file" | "exec"; offset: number; size: number };

/** 8 GiB. */
const MAX_BYTES = 2 ** 33;
const MAX_ENTRIES = 500_000;

const BLOCK = 512;

/**
 * Reads a tar or gzip'd tar archive: members by name, without `./` in front and `/` at the end; of several with one
 * name the last counts, as for tar(1).
 * @throws SourceError when it is broken, too big, or has members other than files, folders and links
 */
export async function readTar(
  archive: Spool,
  content: Spool,
  where: string,
  limits: UnpackLimits = {},
): Promise<Map<string, TarMember>> {
  const bytes = limits.bytes ?? MAX_BYTES;
  const entries = limits.entries ?? MAX_ENTRIES;
  const members = new Map<string, TarMember>();
  const read = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    const reader = new ByteReader(bounded(chunks, bytes, where));
    for (let count = 0, header; (header = await readHeader(reader)) !== undefined; count++) {
      if (count === entries) throw tooBig(where, `more than ${entries} members`);
      const offset = content.size;
      for await (const chunk of reader.take(header.size)) content.append(chunk);
      if (content.size - offset !== header.size) throw new TarFormatError("it ends within a file");
      await reader.whole((BLOCK - (header.size % BLOCK)) % BLOCK);
      const name = memberName(header.path);
      if (name !== "") members.set(name, toMember(header, offset, members));
    }
    if (members.size === 0) throw new TarFormatError("it has no members");
  };
  try {
    const start = await new ByteReader(archive.read(0, Math.min(2, archive.size))).whole(2);
    const gzip = start.equals(Buffer.from([0x1f, 0x8b]));
    await read(gzip ? through(archive.read(), createGunzip()) : archive.read());
  } catch (error) {
    throw error instanceof SourceError ? error : broken(where, error);
  }
  return members;
}

/** `./a/` as `a`, and the root itself as the empty text; anything odd stays, to be refused. */
function memberName(path: string): string {
  const name = path.replace(/^(?:\.\/+)+/, "").replace(/(?<=[^/])\/+$/, "");
  return name === "." ? "" : name;
}

function toMember(header: TarHeader, offset: number, before: ReadonlyMap<string, TarMember>): TarMember {
  switch (header.type) {
    case "file":
      return { type: header.executable ? "exec" : "file", offset, size: header.size };
    case "dir":
      return { type: "dir" };
    case "symlink":
      return { type: "link", target: header.target };
    case "hardlink": {
      const same = before.get(memberName(header.target));
      if (same !== undefined && same.type !== "dir") return same;
      throw new TarFormatError(`"${header.path}" is a hard link to "${header.target}", which isn't in front of it`);
    }
  }
}

async function* bounded(chunks: AsyncIterable<Buffer>, limit: number, where: string): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limit) throw tooBig(where, `more than ${limit} bytes`);
    yield chunk;
  }
}

function tooBig(where: string, amount: string): SourceError {
  return new SourceError({
    what: "The tarball unpacks to too much",
    where,
    why: `it has ${amount}, which no release needs: it may be a decompression bomb`,
    fix: "make an archive that holds only the app",
  });
}

function broken(where: string, error: unknown): SourceError {
  return new SourceError({
    what: "The tarball can't be unpacked",
    where,
    why: error instanceof Error ? error.message : String(error),
    fix: "make it again from a folder of plain files: tar -czf app.tar.gz -C <folder> .",
  });
}
