import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeDesk, needPrograms, type Desk } from "../../tools/desk";

interface Entry {
  readonly unit?: string;
  readonly message: unknown;
  /** Milliseconds after 1970. @default now */
  readonly at?: number;
  /** A line of systemd itself on the unit. */
  readonly bySystemd?: boolean;
}

interface Batch {
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly logEvents: readonly { readonly timestamp: number; readonly message: string }[];
}

/** Emulates the calls that the tool makes: each batch is kept; `$root/fate` may say what becomes of the next. */
const aws = (root: string): string => `
while [[ $1 == --* ]]; do shift 2; done
case "$1 $2" in
  'logs put-log-events')
    for last; do :; done
    fate=$(cat '${root}/fate' 2>/dev/null)
    if [[ $fate == refused ]]; then echo 'An error occurred (ThrottlingException) when calling the PutLogEvents operation: Rate exceeded' >&2; exit 254; fi
    if [[ $fate == stream ]]; then rm '${root}/fate'; echo 'An error occurred (ResourceNotFoundException) when calling the PutLogEvents operation' >&2; exit 254; fi
    cp "\${last#file://}" "${root}/batches/$(date +%s%N)"
    if [[ $fate == lost ]]; then echo 'Connection was closed before we received a valid response' >&2; exit 255; fi
    echo '{}' ;;
  'logs get-log-events') cat "${root}"/batches/* | jq -s '{events: [.[].logEvents[]]}' ;;
  'cloudwatch put-metric-data') for last; do :; done; cat "\${last#file://}" >>'${root}/metrics' ;;
esac`;

/** The journal's file, from after the cursor that is asked for, whatever else is asked. */
const journalctl = (root: string): string => `
for word; do [[ $word != --after-cursor=* ]] || after=\${word#*=}; done
if [[ -n \${after:-} ]]; then sed "1,/\\"__CURSOR\\":\\"$after\\"/d" '${root}/journal'; else cat '${root}/journal'; fi`;

describe("the cloudwatch tool", function () {
  this.timeout(20_000);
  let desk: Desk;
  before(() => needPrograms("jq"));
  beforeEach(() => {
    desk = makeDesk();
    desk.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n");
    desk.write(
      "etc/homeport/shop-prod/cloudwatch",
      "REGION=eu-central-1\nNAMESPACE=Homeport/prod\nDIMENSIONS=InstanceId=i-1\nLOG_GROUP=/homeport/prod/shop\n",
    );
    desk.write("batches/.keep", "");
    desk.script("aws", aws(desk.root));
    desk.script("journalctl", journalctl(desk.root));
  });
  afterEach(() => {
    desk.remove();
  });

  const journal = (entries: readonly Entry[]): void => {
    const lines = entries.map(({ unit = "shop-prod-api-a@1.service", message, at = Date.now(), bySystemd }, index) =>
      JSON.stringify({
        __CURSOR: `c${index}`,
        __REALTIME_TIMESTAMP: String(at * 1000),
        PRIORITY: "4",
        ...(bySystemd === true ? { _SYSTEMD_UNIT: "init.scope", UNIT: unit } : { _SYSTEMD_UNIT: unit }),
        MESSAGE: message,
      }),
    );
    desk.write("journal", lines.map((line) => `${line}\n`).join(""));
  };
  const send = async (): Promise<void> => {
    const { code, stderr } = await desk.run("cloudwatch", []);
    assert.equal(code, 0, stderr);
  };
  const batches = (): Batch[] =>
    readdirSync(join(desk.root, "batches"))
      .filter((name) => name !== ".keep")
      .sort()
      .map((name) => JSON.parse(readFileSync(join(desk.root, "batches", name), "utf8")) as Batch);
  const messages = (): unknown[] =>
    batches().flatMap(({ logEvents }) =>
      logEvents.map(({ message }) => (JSON.parse(message) as { message: unknown }).message),
    );
  const state = (name: string): string => join(desk.root, "var/lib/homeport/cloudwatch", name);

  it("sends the app's own lines with their unit and level, and what systemd says of it", async () => {
    desk.write("etc/homeport/shop-prod-eu/alert", "APP=shop\n");
    journal([
      { message: "one" },
      { message: "another app's", unit: "shop-prod-eu-api-a@1.service" },
      { message: '{"path":"/x"}', unit: "shop-prod-job-scrape.service" },
      { message: "Main process exited", bySystemd: true },
      { message: [104, 105] },
    ]);
    await send();
    const [batch, ...others] = batches();
    assert.deepEqual(others, []);
    assert.deepEqual([batch?.logGroupName, batch?.logStreamName], ["/homeport/prod/shop", "i-1"]);
    assert.deepEqual(messages(), ["one", { path: "/x" }, "Main process exited", "hi"]);
    assert.deepEqual(JSON.parse(batch?.logEvents[0]?.message ?? ""), {
      unit: "shop-prod-api-a@1.service",
      level: "warning",
      message: "one",
    });
  });

  it("keeps to what a batch may hold: bytes, hours and age, in the order of time", async () => {
    const now = Date.now();
    const hour = 3_600_000;
    journal([
      { message: "too old", at: now - 14 * 24 * hour },
      { message: "day before", at: now - 30 * hour },
      { message: "second", at: now - hour + 5 },
      { message: "first", at: now - hour },
      ...Array.from({ length: 40 }, (_, n) => ({ message: `${n} ${"ä".repeat(30_000)}`, at: now + n })),
      { message: "x".repeat(300_000), at: now + 50 },
      // Their bytes alone would fit.
      ...Array.from({ length: 9000 }, (_, n) => ({ message: String(n).padEnd(35), at: now + 60 + n })),
    ]);
    await send();
    assert.equal(messages().length, 9044);
    assert.deepEqual(messages().slice(0, 3), ["day before", "first", "second"]);
    for (const { logEvents } of batches()) {
      const times = logEvents.map(({ timestamp }) => timestamp);
      assert.deepEqual(times, [...times].sort());
      assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) < 24 * hour);
      assert.ok(logEvents.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0) <= 1_048_576);
    }
    assert.ok(batches().length >= 4);
  });

  it("sends anew what was refused, and not what has arrived though its answer was lost", async () => {
    journal([{ message: "one" }, { message: "two" }]);
    desk.write("fate", "refused\n");
    await send();
    assert.deepEqual(messages(), []);
    assert.match(readFileSync(state("shop-prod.failing"), "utf8"), /^\d+ .*ThrottlingException/);
    desk.write("fate", "lost\n");
    await send();
    rmSync(join(desk.root, "fate"));
    await send();
    await send();
    assert.deepEqual(messages(), ["one", "two"]);
    assert.ok(!existsSync(state("shop-prod.failing")) && !existsSync(state("shop-prod.batch")));
    assert.equal(readFileSync(state("shop-prod.cursor"), "utf8"), "c1\n");
  });

  it("makes its stream where there is none yet", async () => {
    journal([{ message: "one" }]);
    desk.write("fate", "stream\n");
    await send();
    assert.ok(desk.calls().some((call) => / create-log-stream .*--log-stream-name i-1$/.test(call)));
    assert.deepEqual(messages(), ["one"]);
  });

  it("puts figures once a period, with no key of its own", async () => {
    journal([]);
    await send();
    await send();
    const metrics = JSON.parse(desk.read("metrics")) as { MetricName: string; Value: number; Dimensions: unknown }[];
    assert.deepEqual(
      metrics.map(({ MetricName, Dimensions }) => [MetricName, Dimensions]),
      [
        [
          "DiskUsedPercent",
          [
            { Name: "InstanceId", Value: "i-1" },
            { Name: "Path", Value: "/" },
          ],
        ],
        ["MemoryUsedPercent", [{ Name: "InstanceId", Value: "i-1" }]],
      ],
    );
    assert.equal(metrics[1]?.Value, 75);
  });
});
