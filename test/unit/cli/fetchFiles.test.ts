import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { partMark } from "../../../cli/archiveNames";
import {
  download,
  explainFile,
  folderBelow,
  isThere,
  NotGzip,
  partOf,
  settle,
  unpack,
  unpackedBytes,
} from "../../../cli/fetchFiles";
import { DriverError } from "../../../drivers/error";
import type { StoredObject } from "../../../drivers/s3/objects";

const signal = new AbortController().signal;

describe("fetching files", () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const left = (): string[] => readdirSync(folder).sort();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-fetch-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const content = Buffer.from("day,name,impressions\n".repeat(50));
  const object = { key: "a.csv", bytes: content.length, time: new Date() } satisfies StoredObject;
  /** Answers one after the other: whole, cut short, or broken off. */
  function answers(...kinds: ("whole" | "short" | "broken")[]) {
    const asked: string[] = [];
    const read = (key: string): Promise<Readable> => {
      const kind = kinds[asked.length] ?? "whole";
      asked.push(key);
      const begin = content.subarray(0, 100);
      if (kind === "broken") {
        return Promise.resolve(
          Readable.from(
            (function* () {
              yield begin;
              throw new Error("aborted");
            })(),
          ),
        );
      }
      return Promise.resolve(Readable.from([kind === "whole" ? content : begin]));
    };
    return { asked, objects: { read } };
  }
  const fetch = (store: ReturnType<typeof answers>, more: Partial<Parameters<typeof download>[0]> = {}) =>
    download({
      ...{ objects: store.objects, object, to: at("part"), signal, waits: [1, 1] },
      ...{ onBytes: () => undefined, onRetry: () => undefined, ...more },
    });

  it("tries again where a transfer broke or fell short, and has the whole file for this user alone", async () => {
    const store = answers("broken", "short", "whole");
    const why: string[] = [];
    await fetch(store, { onRetry: (one) => why.push(one) });
    assert.deepEqual(why, ["aborted", `100 of ${content.length} bytes arrived`]);
    assert.deepEqual(readFileSync(at("part")), content);
    assert.equal(statSync(at("part")).mode & 0o777, 0o600);
  });

  it("gives up after some tries, with the reason, and leaves nothing", async () => {
    const store = answers("broken", "broken", "short");
    await assert.rejects(
      fetch(store),
      (error) =>
        error instanceof DriverError &&
        /could not be fetched whole[^]*100 of \d+ bytes arrived, 3 times/.test(error.message),
    );
    assert.equal(store.asked.length, 3);
    assert.deepEqual(left(), []);
  });

  it("ends at once where it is asked to, and leaves nothing", async () => {
    const abort = new AbortController();
    const store = answers("broken");
    await assert.rejects(
      fetch(store, { signal: abort.signal, waits: [60_000], onRetry: () => { abort.abort(); } }), // prettier-ignore
    );
    assert.equal(store.asked.length, 1);
    assert.deepEqual(left(), []);
  });

  it("doesn't try again what was explained, and touches no file that was there", async () => {
    const told = new DriverError({ what: "No.", where: "", why: "", fix: "" });
    let asked = 0;
    const objects = { read: () => (asked++, Promise.reject(told)) };
    await assert.rejects(fetch({ asked: [], objects }), (error) => error === told);
    assert.equal(asked, 1);
    writeFileSync(at("part"), "another's");
    await assert.rejects(fetch(answers()), { code: "EEXIST" });
    assert.equal(readFileSync(at("part"), "utf8"), "another's");
  });

  it("unpacks whole gzip, and of anything else leaves nothing", async () => {
    const packed = gzipSync(content);
    const cases = {
      good: packed,
      cut: packed.subarray(0, -5),
      text: content,
      bad: Buffer.from(packed).fill(7, 20, 30),
    };
    for (const [name, bytes] of Object.entries(cases)) {
      writeFileSync(at("packed"), bytes);
      if (name === "good") {
        assert.equal(await unpack(at("packed"), at("out"), "k.gz", signal), content.length);
        assert.equal(await unpackedBytes(at("packed"), "k.gz", signal), content.length);
        assert.deepEqual(readFileSync(at("out")), content);
        rmSync(at("out"));
      } else {
        await assert.rejects(unpack(at("packed"), at("out"), "k.gz", signal), NotGzip, name);
        await assert.rejects(unpackedBytes(at("packed"), "k.gz", signal), NotGzip, name);
        assert.ok(!existsSync(at("out")), name);
      }
    }
  });

  it("gives a file its name only where none has it, or where it may be replaced", async () => {
    const part = (text: string): string => {
      const path = partOf(at("a.csv"));
      assert.ok(path.startsWith(at(partMark)));
      writeFileSync(path, text);
      return path;
    };
    assert.equal(await settle(part("1"), at("a.csv"), false), true);
    assert.deepEqual(left(), ["a.csv"]);
    const second = part("2");
    assert.equal(await settle(second, at("a.csv"), false), false);
    assert.equal(readFileSync(at("a.csv"), "utf8"), "1");
    rmSync(second);
    assert.equal(await settle(part("3"), at("a.csv"), true), true);
    assert.equal(readFileSync(at("a.csv"), "utf8"), "3");
    assert.deepEqual(left(), ["a.csv"]);
    symlinkSync("/nowhere", at("link"));
    assert.equal(await isThere(at("link")), true);
    assert.equal(await isThere(at("none")), false);
    assert.equal(await isThere(at("a.csv/b")), false);
    mkdirSync(at("folder"));
    await assert.rejects(isThere(at("folder")), /there is a folder of that name/);
  });

  it("makes folders below its root, and follows no link out of it", async () => {
    assert.equal(await folderBelow(at("new/root"), "2025/06/a.csv"), at("new/root/2025/06"));
    mkdirSync(at("outside"));
    symlinkSync(at("outside"), at("new/root/2024"));
    await assert.rejects(folderBelow(at("new/root"), "2024/06/a.csv"), DriverError);
    assert.deepEqual(readdirSync(at("outside")), []);
    writeFileSync(at("new/root/2023"), "");
    await assert.rejects(folderBelow(at("new/root"), "2023/a.csv"), /a file or a link of the folder's name/);
  });

  it("words what a disk says", async () => {
    const error: unknown = await isThere(`${at("a")}\0`).catch((one: unknown) => one);
    assert.ok(error instanceof Error);
    writeFileSync(at("file"), "");
    const refused: unknown = await folderBelow(at("file"), "a/b").catch((one: unknown) => one);
    assert.match(String(explainFile(refused)), /can't be read or written\.\n {2}where: .*file/);
  });
});
