import assert from "node:assert/strict";
import { describeError, DriverError, Interrupted } from "../../../drivers/error";
import { SourceError } from "../../../drivers/source";
import { parseFailure, parseNeed, parseResult } from "../../../targets/systemd/frames";

describe("a frame of the host", () => {
  it("asks for a release by its 16 digits and nothing else", () => {
    assert.equal(parseNeed("NEED release 0123456789abcdef"), "0123456789abcdef");
    for (const line of ["NEED release ../../etc", "NEED release", "NEED thing 0123456789abcdef", "RESULT {}"])
      assert.equal(parseNeed(line), undefined, line);
  });

  it("tells a failure in four parts", () => {
    const error = parseFailure('FAIL {"what":"It broke.","where":"x on y","why":"a \\"cause\\"","fix":"mend it"}');
    assert.ok(error instanceof DriverError);
    assert.equal(error.message, 'It broke.\n  where: x on y\n  why: a "cause"\n  fix: mend it');
  });

  it("brings the result", () => {
    const result = { services: { api: { release: "r", slot: "b" } }, changes: ["api: done"] };
    assert.deepEqual(parseResult(`RESULT ${JSON.stringify(result)}`), result);
    for (const line of ["RESULT {", "RESULT null", "RESULT {}", 'RESULT {"services":{}}'])
      assert.throws(() => parseResult(line), DriverError, line);
  });
});

describe("what a person is shown of an error", () => {
  const parts = { what: "w", where: "x", why: "y", fix: "z" };
  it("is its text where it was written for people", () => {
    for (const error of [new DriverError(parts), new SourceError(parts)])
      assert.equal(describeError(error, false), "w\n  where: x\n  why: y\n  fix: z");
    assert.match(describeError(new Interrupted(), false), /takes up where it stopped/);
  });
  it("is no stack trace, unless it is asked for", () => {
    const error = new TypeError("x is undefined");
    assert.doesNotMatch(describeError(error, false), /\bat /);
    assert.match(describeError(error, false), /HOMEPORT_DEBUG=1/);
    assert.match(describeError(error, true), /\bat /);
    assert.equal(describeError("text", false), "text");
  });
});
