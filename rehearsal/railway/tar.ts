/** The regular files of a tar archive, by path. POSIX ustar and pax headers, as git writes them. */
export function tarFiles(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let longPath: string | undefined;
  for (let at = 0; at + 512 <= archive.length;) {
    const text = (from: number, length: number): string =>
      archive.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const name = text(0, 100);
    if (name === "") break;
    const size = Number.parseInt(text(124, 12).trim() || "0", 8);
    const kind = text(156, 1);
    const content = archive.subarray(at + 512, at + 512 + size);
    if (kind === "x") longPath = /\d+ path=(.*)\n/.exec(content.toString())?.[1];
    else {
      const prefix = text(345, 155);
      if (kind === "0" || kind === "") files.set(longPath ?? (prefix === "" ? name : `${prefix}/${name}`), content);
      if (kind !== "g") longPath = undefined;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
