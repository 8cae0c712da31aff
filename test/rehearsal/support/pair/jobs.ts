import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { eventually } from "../http";
import type { Pair } from "./pair";

/** A job that tells of each of its runs, and then does what a file in its data says. */
const job = `import os, subprocess, sys, time
print("the job begins", flush=True)
with open("/data/runs", "a") as runs:
    runs.write(f"{os.getpid()}\\n")
mode = open("/data/mode").read().strip()
if mode == "fail":
    sys.exit("the job was told to fail")
if mode == "hang":
    subprocess.run(["sleep", "1234"])
time.sleep(float(mode))
`;

interface Alert {
  readonly app: string;
  readonly stack: string;
  readonly unit: string;
  readonly result: string;
  readonly log: readonly string[];
}

/** What becomes of a job's runs. */
export function jobTests(pair: Pair): void {
  const unit = "catscan-prod-job-gmail-import.service";
  const data = "/var/lib/catscan-prod/data";
  const mode = (text: string): Promise<string> =>
    pair.world.on(`echo ${text} >${data}/mode; chmod 644 ${data}/mode; rm -f ${data}/runs`);
  const runs = async (): Promise<number> => Number(await pair.world.on(`wc -l <${data}/runs`));
  const alerts = (): Alert[] =>
    pair.sink.taken.filter((one) => one.method === "POST").map((one) => JSON.parse(one.body) as Alert);

  before(async () => {
    writeFileSync(pair.world.code("catscan", "scripts/gmail_import.py"), job);
    await pair.world.mustUp();
  });

  it("runs at once when it is told to, and pings when it has succeeded", async () => {
    await mode("0");
    await pair.world.on(`systemctl start ${unit}`);
    assert.equal(await runs(), 1);
    assert.deepEqual(
      pair.sink.taken.map((one) => `${one.method} ${one.path}`),
      ["GET /ping/catscan-prod-gmail-import"],
    );
  });

  it("doesn't run twice at a time: a second start joins the run that is there", async () => {
    await mode("3");
    await pair.world.on(`systemctl start ${unit} & sleep 1; systemctl start ${unit} & systemctl start ${unit} & wait`);
    assert.equal(await runs(), 1);
    assert.equal(await pair.world.on(`systemctl show -P Result ${unit}`), "success");
  });

  it("tells of a run that failed, by a post with the unit's name and its last lines, and doesn't ping", async () => {
    pair.sink.taken.length = 0;
    await mode("fail");
    const { code } = await pair.world.host.exec(`systemctl start ${unit}`);
    assert.notEqual(code, 0);
    await eventually("the alert comes", 20, () => alerts().length > 0);
    const [alert] = alerts();
    assert.equal(pair.sink.taken[0]?.path, "/alerts/path-that-is-a-secret");
    assert.deepEqual(
      { app: alert?.app, stack: alert?.stack, unit: alert?.unit, result: alert?.result },
      { app: "catscan", stack: "prod", unit, result: "exit-code" },
    );
    assert.ok(
      alert?.log.some((line) => line.includes("the job was told to fail")),
      alert?.log.join("\n"),
    );
    assert.deepEqual(
      pair.sink.taken.filter((one) => one.method === "GET"),
      [],
    );
  });

  it("has the declared time limit, and ends a run with all that it started when that is over", async () => {
    const { world } = pair;
    assert.equal(await world.on(`systemctl show -P TimeoutStartUSec ${unit}`), "30min");
    // The half hour is cut to seconds for this run.
    const dropIn = `/run/systemd/system/${unit}.d`;
    await world.on(
      `mkdir -p ${dropIn}; printf '[Service]\\nTimeoutStartSec=3\\n' >${dropIn}/limit.conf; systemctl daemon-reload`,
    );
    try {
      await mode("hang");
      const begun = performance.now();
      const { code } = await world.host.exec(`systemctl start ${unit}`);
      assert.notEqual(code, 0);
      assert.ok(performance.now() - begun < 15_000);
      assert.equal(await world.on(`systemctl show -P Result ${unit}`), "timeout");
      assert.equal((await world.host.exec("pgrep -f 'sleep 1234'")).stdout, "");
    } finally {
      await world.on(`rm -r ${dropIn}; systemctl daemon-reload; systemctl reset-failed ${unit}`);
    }
  });
}
