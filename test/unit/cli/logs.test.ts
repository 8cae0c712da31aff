import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { logs } from "../../../cli/logs";
import type { LogLine, ScheduleStatus } from "../../../targets/operations";
import { workingConfig } from "../../support/config";
import { answering, emptyStatus, FakeContext } from "./context";

const next = "2025-05-01T08:00:00Z";
const schedules: ScheduleStatus[] = [{ name: "gmail-import", kind: "job", result: "unknown", next }];
const line = (part: string): LogLine => ({ time: new Date(next), part, text: "hello", level: "other" });
const call = async (positionals: readonly string[], lines: readonly LogLine[] = []) => {
  const places = answering(
    () => ({ ...emptyStatus, schedules }),
    () => lines,
  );
  const context = new FakeContext(apps, workingConfig(), { positionals }, places);
  assert.equal(await logs(context), 0);
  return context;
};

describe("homeport logs", () => {
  it("says of an empty log that it is, and of a job's when it runs next", async () => {
    const job = await call(["catscan", "gmail-import"]);
    assert.deepEqual([job.stdout, job.stderr], ["", "no lines yet; next run 2025-05-01 08:00 UTC\n"]);
    assert.equal((await call(["catscan"])).stderr, "no lines yet\n");
    assert.equal((await call(["catscan"], [line("api/a1")])).stderr, "");
  });

  it("has its columns in one place, whatever part speaks first", async () => {
    const { stdout } = await call(["catscan"], [line("api/a1"), line("gmail-import"), line("cleanup")]);
    const columns = stdout
      .trim()
      .split("\n")
      .map((text) => text.indexOf("hello"));
    assert.deepEqual([columns.length, new Set(columns).size], [3, 1]);
  });
});
