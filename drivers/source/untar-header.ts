import type { ByteReader } from "./reader";

/** An archive that isn't a tar, or has what a release can't have. */
export class TarFormatError extends Error {}

/** What the headers of one member say. */
export interface TarHeader {
  path: string;
  type: "file" | "dir" | "symlink" | "hardlink";
  /** Of links. */
  target: string;
  /** Whether its owner may execute it. */
  executable: boolean;
  /** Bytes of content that follow, rounded up to whole blocks. */
  size: number;
}

const BLOCK = 512;

/** Longest extended header taken; a path has 4096 bytes at most. */
const MAX_EXTENDED = 1024 * 1024;

const TYPES: Partial<Record<string, TarHeader["type"]>> = {
  "0": "file",
  "\0": "file",
  // Contiguous files, which are files everywhere else (POSIX.1-2017, pax).
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "5": "dir",
};

/** What extended headers replace in the header that follows them. */
type Overrides = Partial<Record<"path" | "linkpath" | "size", string>>;

/**
 * The next member's headers: ustar with the pax extensions (POSIX.1-2017, pax) and GNU's long names (GNU tar manual,
 * "Basic Tar Format"). Undefined at the end of the archive.
 * @throws TarFormatError
 */
export async function readHeader(reader: ByteReader): Promise<TarHeader | undefined> {
  let next: Overrides = {};
  for (;;) {
    const block = await reader.whole(BLOCK);
    if (block.length === 0 || (block.length === BLOCK && block.every((byte) => byte === 0))) return undefined;
    if (block.length < BLOCK) throw new TarFormatError("it ends within a header");
    checkSum(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    const size = number(block, 124, 12);
    switch (flag) {
      case "x":
        next = { ...next, ...pax(await extended(reader, size)) };
        break;
      case "g":
        // git puts a comment there; what would apply to every member is refused rather than half understood.
        if (Object.keys(pax(await extended(reader, size))).length > 0) {
          throw new TarFormatError("a global header changes names or sizes");
        }
        break;
      case "L":
        next = { ...next, path: untilNul(await extended(reader, size)) };
        break;
      case "K":
        next = { ...next, linkpath: untilNul(await extended(reader, size)) };
        break;
      default:
        return member(block, flag, size, next);
    }
  }
}

function member(block: Buffer, flag: string, size: number, next: Overrides): TarHeader {
  const posix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = posix ? untilNul(block.subarray(345, 500)) : "";
  const name = untilNul(block.subarray(0, 100));
  const path = next.path ?? (prefix === "" ? name : `${prefix}/${name}`);
  const type = TYPES[flag];
  if (path === "") throw new TarFormatError("a member has no name");
  if (type === undefined) throw new TarFormatError(`"${path}" is neither file, folder nor link (type "${flag}")`);
  // Before ustar a folder was a file with a slash at the end.
  const kind = type === "file" && path.endsWith("/") ? "dir" : type;
  const target = next.linkpath ?? untilNul(block.subarray(157, 257));
  const bytes = next.size === undefined ? size : decimal(next.size);
  // For folders and links the size, where there is one, is none of content.
  const executable = (number(block, 100, 8) & 0o100) !== 0;
  return { path, type: kind, target, executable, size: kind === "file" ? bytes : 0 };
}

async function extended(reader: ByteReader, size: number): Promise<Buffer> {
  if (size > MAX_EXTENDED) throw new TarFormatError("an extended header is too long");
  const body = await reader.whole(size);
  await reader.whole((BLOCK - (size % BLOCK)) % BLOCK);
  if (body.length < size) throw new TarFormatError("it ends within a header");
  return body;
}

/** Records of `<length> <key>=<value>\n`. */
function pax(body: Buffer): Overrides {
  const found: Overrides = {};
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = decimal(body.toString("latin1", at, Math.max(space, at)));
    const record = text(body.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    if (length === 0 || body[at + length - 1] !== 0x0a || equals < 0)
      throw new TarFormatError("an extended header is broken");
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    if (key.startsWith("GNU.sparse.")) throw new TarFormatError("it has sparse files: make it without tar --sparse");
    if (key === "path" || key === "linkpath" || key === "size") found[key] = value;
    at += length;
  }
  return found;
}

/** A number in octal, or in base 256 when the first bit is set (GNU tar). */
function number(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f);
    if (!Number.isSafeInteger(value)) throw new TarFormatError("a size is out of range");
    return value;
  }
  const digits = /^[ 0]*([0-7]*)[ \0]*$/.exec(field.toString("latin1"))?.[1];
  if (digits === undefined) throw new TarFormatError("a number in a header is broken: it isn't a tar archive");
  return digits === "" ? 0 : parseInt(digits, 8);
}

function decimal(digits: string): number {
  if (!/^\d{1,15}$/.test(digits)) throw new TarFormatError("an extended header is broken");
  return Number(digits);
}

/** The sum of the header's bytes, with its own field as spaces; old tars summed signed bytes. */
function checkSum(block: Buffer): void {
  let unsigned = 0;
  let signed = 0;
  block.forEach((byte, index) => {
    const value = index >= 148 && index < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value > 127 ? value - 256 : value;
  });
  const told = number(block, 148, 8);
  if (told !== unsigned && told !== signed)
    throw new TarFormatError("a header's checksum is wrong: it isn't a tar archive");
}

function untilNul(field: Buffer): string {
  const end = field.indexOf(0);
  return text(end < 0 ? field : field.subarray(0, end));
}

function text(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TarFormatError("a name in it isn't UTF-8");
  }
}
