import * as ec2 from "@aws-sdk/client-ec2";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeGroup } from "../../rehearsal/host/cgroup";
import { poll } from "../../rehearsal/host/run";
import type { Aws, Site } from "../../rehearsal/site";
import { openSite, sweep } from "../../rehearsal/site";
import { startAws } from "../../rehearsal/aws/aws";
import { readState } from "../../rehearsal/site-state";
import { traces } from "./support/traces";

const log = (): void => undefined;
const region = "us-east-1";
const id = "i-0123456789abcdef0";

describe("AWS of a site", function () {
  this.timeout(300_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-aws-site-"));
  });
  afterEach(async () => {
    await sweep({ folder, all: true });
    rmSync(folder, { recursive: true, force: true });
  });

  const clientOf = ({ endpoint, accessKeyId, secretAccessKey }: Aws): ec2.EC2Client =>
    new ec2.EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });

  it("is nothing to another site's, and gone with its own", async () => {
    const open = await Promise.all([openSite({ log, folder }), openSite({ log, folder })]);
    const [one, other] = await Promise.all(
      open.map(async (site): Promise<{ site: Site; aws: Aws }> => ({ site, aws: await site.aws() })),
    );
    assert.ok(one !== undefined && other !== undefined);
    try {
      const both = await Promise.all([one, other].map(({ aws }) => aws.existingInstance({ id, name: "same", region })));
      assert.notEqual(both[0]?.hostKey, both[1]?.hostKey);
      assert.notEqual(both[0]?.address, both[1]?.address);
      await one.site.close();
      assert.deepEqual(await traces(folder, one.site.id), []);
      assert.equal((await both[1]?.exec("hostname"))?.stdout, `${id}\n`);
    } finally {
      await Promise.all(open.map((site) => site.close()));
    }
    assert.deepEqual(await traces(folder, other.site.id), []);
  });

  it("goes on with its instances after its relay was killed, and is taken over by a later run", async () => {
    const site = await openSite({ log, folder, keep: true });
    const there = await (await site.aws()).existingInstance({ id, name: "lasting", region });
    const plan = readState(folder, site.id)?.aws;
    assert.ok(plan !== undefined);
    await removeGroup(plan.unit);
    assert.equal((await there.exec("hostname")).stdout, `${id}\n`);
    const { root } = JSON.parse(readFileSync(join(plan.folder, "relay.json"), "utf8")) as { root: string };
    const again = await startAws(plan, root, log);
    const host = await again.host(id);
    assert.equal(host.hostKey, there.hostKey);
    assert.equal((await host.exec("uptime --since")).stdout, (await there.exec("uptime --since")).stdout);
    await clientOf(again).send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    await assert.rejects(again.host(id), /No host runs for the instance i-0123456789abcdef0/);
    await site.close();
    assert.deepEqual(await traces(folder, site.id), []);
  });

  it("leaves nothing when its run is killed", async () => {
    const program = [join(__dirname, "aws-owner.ts"), folder];
    const child = spawn(process.execPath, ["--require", require.resolve("ts-node/register"), ...program], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const ready = (): true | undefined => said.includes("ready") || undefined;
      await poll(ready, { timeoutMs: 120_000, failure: () => `the run said only: ${said}` });
      const kinds = new Set((await traces(folder, "left")).map((line) => line.split(":")[0]));
      for (const kind of ["link", "namespace", "rules", "loop", "group", "process"]) assert.ok(kinds.has(kind), kind);
    } finally {
      child.kill("SIGKILL");
    }
    const gone = async (): Promise<true | undefined> =>
      (await traces(folder, "left")).length === 0 ? true : undefined;
    await poll(gone, {
      timeoutMs: 60_000,
      everyMs: 200,
      failure: async () => `it leaves:\n${(await traces(folder, "left")).join("\n")}`,
    });
  });
});
