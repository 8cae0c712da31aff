import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, it } from "mocha";
import { byPath } from "../../../drivers/source/digest";
import { Spool } from "../../../drivers/source/spool";
import { writeTar, type TarEntry } from "../../../drivers/source/tar";
import { readTar } from "../../../drivers/source/untar";
import { listTar, sandbox } from "./support";

type Plain = { path: string; type: "file" | "exec" | "link"; text: string };

async function archive(plain: readonly Plain[]): Promise<Buffer> {
  const entries = [...plain].sort(byPath).map(({ path, type, text }): TarEntry => {
    if (type === "link") return { path, type, target: text };
    const bytes = Buffer.from(text);
    const halves = [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)];
    return { path, type, size: bytes.length, content: Readable.from(halves) };
  });
  const chunks: Buffer[] = [];
  for await (const chunk of writeTar(Readable.from(entries))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function unpacked(bytes: Buffer): Promise<{ plain: Plain[]; folders: string[] }> {
  const [whole, content] = [new Spool(), new Spool()];
  try {
    whole.append(bytes);
    const plain: Plain[] = [];
    const folders: string[] = [];
    for (const [path, member] of await readTar(whole, content, "test")) {
      if (member.type === "dir") folders.push(path);
      else if (member.type === "link") plain.push({ path, type: "link", text: member.target });
      else {
        const chunks: Buffer[] = [];
        for await (const chunk of content.read(member.offset, member.size)) chunks.push(chunk as Buffer);
        plain.push({ path, type: member.type, text: Buffer.concat(chunks).toString() });
      }
    }
    return { plain, folders };
  } finally {
    await whole.dispose();
    await content.dispose();
  }
}

describe("tar archives", () => {
  sandbox();
  const part = fc.oneof(
    fc.stringMatching(/^[a-z][a-z .=-]{0,10}$/),
    fc.constantFrom(
      "ü",
      "日本語".repeat(9),
      "x".repeat(99),
      "x".repeat(100),
      "y".repeat(101),
      "line\nfeed",
      "PaxHeader",
    ),
  );
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom("", "z".repeat(511), "z".repeat(512), "z".repeat(1025)),
  );
  const plain = fc
    .record(
      { path, type: fc.constantFrom("file" as const, "exec" as const, "link" as const), text },
      { noNullPrototype: true },
    )
    .map((each) => (each.type === "link" ? { ...each, text: each.path.toUpperCase() } : each));
  const tree = fc
    .uniqueArray(plain, { selector: (each) => each.path, minLength: 1, maxLength: 6 })
    .map((all) => all.filter((each) => !all.some((other) => other.path.startsWith(`${each.path}/`))));

  it("come back as they were written, with their folders", async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.boolean(), async (all, gzip) => {
        const bytes = await archive(all);
        assert.equal(bytes.length % 512, 0);
        const back = await unpacked(gzip ? gzipSync(bytes) : bytes);
        assert.deepEqual(back.plain, [...all].sort(byPath));
        assert.deepEqual(back.folders.toSorted(), foldersOf(all));
      }),
    );
  });

  it("look to GNU tar and to Python as they do here", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tree, { minLength: 8, maxLength: 8, size: "max" }), async (trees) => {
        const all = trees.flatMap((each, index) => each.map((one) => ({ ...one, path: `${index}/${one.path}` })));
        const bytes = gzipSync(await archive(all));
        const script = `import sys,json,tarfile,io
def text(t, m): return '' if m.isdir() else m.linkname if m.issym() else t.extractfile(m).read().decode()
t = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()))
print(json.dumps([[m.name, text(t, m), m.mode, m.uid, m.mtime] for m in t]))`;
        const seen = JSON.parse(execFileSync("python3", ["-c", script], { input: bytes, encoding: "utf8" })) as unknown;
        const mode = { file: 0o644, exec: 0o755, link: 0o777 };
        const leaves = all.map((each) => ({ path: each.path, row: [each.path, each.text, mode[each.type], 0, 0] }));
        const folders = foldersOf(all).map((path) => ({ path, row: [path, "", 0o755, 0, 0] }));
        const want = [...leaves, ...folders].sort(byPath).map((each) => each.row);
        assert.deepEqual(seen, want);
        const rows = listTar(bytes).join("\n");
        for (const each of all) assert(rows.includes(each.path.replace(/ +/g, " ")), each.path);
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });

  it("aren't written with content of another length than announced", async () => {
    const one: TarEntry = { path: "a", type: "file", size: 2, content: Readable.from([Buffer.from("1")]) };
    const write = async (): Promise<void> => {
      for await (const chunk of writeTar(Readable.from([one]))) assert(chunk);
    };
    await assert.rejects(write, /announced with 2 bytes, 1 of them missing/);
  });
});

/** The folders on the way to members, sorted. */
function foldersOf(all: readonly Plain[]): string[] {
  const on = all.flatMap(({ path }) => [...path.matchAll(/\//g)].map((match) => path.slice(0, match.index)));
  return [...new Set(on)].sort();
}
