import assert from "node:assert/strict";
import fc from "fast-check";
import { treeOf } from "../../../bench/support/memory";
import { phasesOf } from "../../../bench/support/phases";
import { digits, tableText } from "../../../bench/support/report";
import { interleave, quantile, sampleOf } from "../../../bench/support/stats";
import { frame, frames } from "../../../bench/support/webSocket";

describe("the benchmarks' arithmetic", () => {
  it("takes medians and extremes, in whatever order values come", () => {
    assert.deepEqual(sampleOf([5, 1, 9]), { median: 5, min: 1, max: 9, runs: 3 });
    assert.equal(sampleOf([10, 2]).median, 6);
    assert.throws(() => sampleOf([]), RangeError);
  });

  it("finds quantiles that lie between the values", () => {
    assert.equal(quantile([0, 10], 0.25), 2.5);
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (each, share) => {
        const sorted = each.sort((one, other) => one - other);
        const found = quantile(sorted, share);
        assert.ok(found >= sorted[0]! && found <= sorted.at(-1)!);
      }),
    );
  });

  it("runs actions in turns, and turns the order round", async () => {
    const order: string[] = [];
    const action = (name: string) => (round: number) => {
      order.push(`${name}${round}`);
      return Promise.resolve(round);
    };
    const results = await interleave(3, { a: action("a"), b: action("b") });
    assert.deepEqual(order, ["a0", "b0", "b1", "a1", "a2", "b2"]);
    assert.deepEqual(results, { a: [0, 1, 2], b: [0, 1, 2] });
  });

  it("shows about three digits, and aligns columns", () => {
    assert.deepEqual([1234.5, 42.42, 1.234, 7].map(digits), ["1235", "42.4", "1.23", "7"]);
    assert.equal(tableText({ head: ["", "s"], rows: [["up", 1.5]] }), "|     | s    |\n| --- | ---- |\n| up  | 1.50 |");
  });
});

describe("what benchmarks watch", () => {
  it("follows a process's descendants, and no others", () => {
    const all = [
      { pid: 2, parent: 1 },
      { pid: 3, parent: 2 },
      { pid: 4, parent: 3 },
      { pid: 5, parent: 1 },
    ];
    assert.deepEqual(treeOf(2, all), [2, 3, 4]);
  });

  it("cuts an up into its parts", () => {
    const line = (at: number, text: string) => ({ at, text: ` ~  command:local:Command catscan ${text}` });
    const lines = [
      { at: 1, text: " ~  command:local:Command clausea updating (0s)" },
      line(2, "updating (0s) [diff: ~stdin]"),
      line(2.5, "updating (0s) [diff: ~stdin]; catscan-prod: trace: 20 ms preflight"),
      line(3.5, "updating (1s) [diff: ~stdin]; catscan-prod: trace: 900 ms start to healthy"),
      line(3.6, "updated (1s) [diff: ~stdin]; catscan-prod: trace: 900 ms start to healthy"),
    ];
    assert.deepEqual(phasesOf(lines, "catscan", 4), [
      ["engine, program, unchanged resources", 2000],
      ["driver's start, SSH session, stage", 480],
      ["on the host: preflight", 20],
      ["on the host: start to healthy", 900],
      ["driver's end", 100],
      ["engine's end", 400],
    ]);
  });

  it("reads the frames that it writes, wherever the stream is cut", () => {
    const texts = fc.array(fc.string({ maxLength: 300 }), { maxLength: 5 });
    fc.assert(
      fc.property(texts, fc.nat(), (each, cut) => {
        const bytes = Buffer.concat(each.map((text) => unmasked(frame(1, Buffer.from(text)))));
        const at = cut % (bytes.length + 1);
        const first = frames(bytes.subarray(0, at));
        const second = frames(Buffer.concat([first.rest, bytes.subarray(at)]));
        const read = [...first.frames, ...second.frames].map(({ payload }) => payload.toString());
        assert.deepEqual(read, each);
        assert.equal(second.rest.length, 0);
      }),
    );
  });
});

/** A client's frame as a server would send it: RFC 6455, section 5.3. */
function unmasked(bytes: Buffer): Buffer {
  const head = ((bytes[1] ?? 0) & 127) === 126 ? 4 : 2;
  const mask = bytes.subarray(head, head + 4);
  const payload = bytes.subarray(head + 4).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  const start = Buffer.from(bytes.subarray(0, head));
  start[1] = (start[1] ?? 0) & 127;
  return Buffer.concat([start, payload]);
}
