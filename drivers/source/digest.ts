import { createHash } from "node:crypto";

/** What a member of a release's tree is: plain file, executable file, symbolic link. Folders count by their members. */
export type LeafType = "file" | "exec" | "link";

/** One member of a release's tree, reduced to what its identity depends on. */
export interface Leaf {
  /** Relative to the root, parts joined by `/`. */
  path: string;
  type: LeafType;
  /** sha256 of the content, for a link of its target. */
  sha256: Buffer;
}

const TYPE_BYTE: Record<LeafType, number> = { file: 0x66, exec: 0x78, link: 0x6c };

/**
 * Hash of a whole tree. Each leaf is a type byte, the path's length in four bytes, the path, and 32 bytes of hash, so
 * that no two trees give one byte sequence, whatever their names contain.
 * @param leaves no path twice, in any order
 */
export function treeDigest(leaves: readonly Leaf[]): string {
  const hash = createHash("sha256");
  for (const leaf of [...leaves].sort(byPath)) {
    const path = Buffer.from(leaf.path, "utf8");
    const head = Buffer.alloc(5);
    head.writeUInt8(TYPE_BYTE[leaf.type], 0);
    head.writeUInt32BE(path.length, 1);
    hash.update(head).update(path).update(leaf.sha256);
  }
  return hash.digest("hex");
}

/**
 * The 16 hex digits of a fingerprint: 64 bits, against accidents; a tree made to collide needs 2^32 tries and its
 * author's hand in both trees. Lengths frame the parts, so that no two lists of parts agree.
 */
export function contentId(kind: "git" | "folder" | "tarball", content: string, directory: string): string {
  const hash = createHash("sha256").update("homeport source 1\n");
  for (const part of [kind, content, directory]) {
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Orders by UTF-16 code units: the same everywhere, whatever the locale; a folder comes before its members. */
export function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
