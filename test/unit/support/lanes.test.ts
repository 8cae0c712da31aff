import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { inLanes, inTurns } from "../../support/lanes";

describe("lanes", () => {
  it("do so many at a time, begin them in order and return the results in order", async () => {
    let running = 0;
    let most = 0;
    const begun: number[] = [];
    const results = await inLanes([30, 1, 20, 1, 1], 2, async (ms) => {
      begun.push(ms);
      most = Math.max(most, ++running);
      await delay(ms);
      running--;
      return ms * 2;
    });
    assert.deepEqual(results, [60, 2, 40, 2, 2]);
    assert.deepEqual(begun, [30, 1, 20, 1, 1]);
    assert.equal(most, 2);
  });

  it("are at least one", async () => {
    assert.deepEqual(await inLanes(["a", "b"], 0, (item) => Promise.resolve(item)), ["a", "b"]);
  });
});

describe("output in turns", () => {
  const recorded = (): { show: ReturnType<typeof inTurns>; text: () => string } => {
    let text = "";
    return { show: inTurns((chunk) => (text += chunk.toString())), text: () => text };
  };

  it("shows the part that began first as it comes, and the next one whole after its end", () => {
    const { show, text } = recorded();
    const one = show("[1]");
    const two = show("[2]");
    one.write("a");
    two.write("x");
    one.write("b");
    assert.equal(text(), "[1]ab");
    one.end();
    assert.equal(text(), "[1]ab[2]x");
    two.write("y");
    assert.equal(text(), "[1]ab[2]xy");
  });

  it("keeps the order where a later part ends first, and shows nothing of a part after its end", () => {
    const { show, text } = recorded();
    const one = show("[1]");
    const two = show("[2]");
    const three = show("[3]");
    two.write("x");
    two.end();
    two.write("late");
    three.end();
    one.write("a");
    assert.equal(text(), "[1]a");
    one.end();
    assert.equal(text(), "[1]a[2]x[3]");
    show("[4]");
    assert.equal(text(), "[1]a[2]x[3][4]");
  });
});
