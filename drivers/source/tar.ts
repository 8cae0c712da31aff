/** A member of an archive. */
export type TarEntry =
  | { path: string; type: "dir" }
  | { path: string; type: "link"; target: string }
  | {
      path: string;
      /** `exec`: mode 0755; `file`: 0644. */
      type: "file" | "exec";
      /** Bytes that `content` yields. */
      size: number;
      /** Is read once, to its end, before the next entry is asked for. */
      content: AsyncIterable<Buffer>;
    };

const BLOCK = 512;
const ZEROS = Buffer.alloc(BLOCK);

/** The largest size that eleven octal digits hold. */
const MAX_OCTAL_SIZE = 0o77777777777;

/**
 * Writes the pax interchange format (POSIX.1-2017, pax): what doesn't fit a ustar header goes to an extended one. Every
 * byte follows from the entries: owner 0, time 0, modes 0644 and 0755. Folders that lead to a member are added.
 * @param entries sorted by path (byPath), no path twice
 */
export async function* writeTar(entries: AsyncIterable<TarEntry>): AsyncGenerator<Buffer> {
  const folders = new Set<string>();
  for await (const entry of entries) {
    for (let at = entry.path.indexOf("/"); at >= 0; at = entry.path.indexOf("/", at + 1)) {
      const folder = entry.path.slice(0, at);
      if (!folders.has(folder)) yield header({ path: folder, type: "dir" });
      folders.add(folder);
    }
    if (entry.type === "dir") {
      if (!folders.has(entry.path)) yield header(entry);
      folders.add(entry.path);
      continue;
    }
    yield header(entry);
    if (entry.type === "link") continue;
    let left = entry.size;
    for await (const chunk of entry.content) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) throw new Error(`"${entry.path}" was announced with ${entry.size} bytes, ${left} of them missing`);
    const over = entry.size % BLOCK;
    if (over > 0) yield ZEROS.subarray(over);
  }
  yield Buffer.alloc(2 * BLOCK);
}

const FLAG = { file: "0", exec: "0", link: "2", dir: "5" } as const;

function header(entry: TarEntry): Buffer {
  const path = entry.type === "dir" ? `${entry.path}/` : entry.path;
  const target = entry.type === "link" ? entry.target : "";
  const size = entry.type === "file" || entry.type === "exec" ? entry.size : 0;
  const mode = entry.type === "file" ? 0o644 : entry.type === "link" ? 0o777 : 0o755;
  const records: string[] = [];
  if (!fits(path)) records.push(record("path", path));
  if (!fits(target)) records.push(record("linkpath", target));
  if (size > MAX_OCTAL_SIZE) records.push(record("size", String(size)));
  const plain = block(path, mode, size > MAX_OCTAL_SIZE ? 0 : size, FLAG[entry.type], target);
  if (records.length === 0) return plain;
  const body = Buffer.from(records.join(""), "utf8");
  const padding = ZEROS.subarray(body.length % BLOCK === 0 ? BLOCK : body.length % BLOCK);
  return Buffer.concat([block("PaxHeader", 0o644, body.length, "x", ""), body, padding, plain]);
}

/** Whether a text can stand in a ustar field of 100 bytes; what isn't ASCII has no defined meaning there. */
function fits(text: string): boolean {
  return /^[\x20-\x7e]{0,100}$/.test(text);
}

/** `<length> <key>=<value>\n`, where the length counts its own digits too. */
function record(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  const guess = rest + String(rest).length;
  const length = rest + String(guess).length;
  return `${length} ${key}=${value}\n`;
}

function block(path: string, mode: number, size: number, flag: string, target: string): Buffer {
  const out = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): void => {
    out.write(value.toString(8).padStart(digits, "0"), at, "latin1");
  };
  out.write(path, 0, 100, "utf8");
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  out.write("        ", 148, "latin1");
  out.write(flag, 156, "latin1");
  out.write(target, 157, 100, "utf8");
  out.write("ustar\u000000", 257, "latin1");
  octal(0, 329, 7);
  octal(0, 337, 7);
  const sum = out.reduce((total, byte) => total + byte, 0);
  octal(sum, 148, 6);
  out.writeUInt8(0, 154);
  return out;
}
