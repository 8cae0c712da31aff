import * as ec2 from "@aws-sdk/client-ec2";
import * as sns from "@aws-sdk/client-sns";
import assert from "node:assert/strict";
import { adopted } from "../../rehearsal/liveApps";
import { bucketNames } from "./support/buckets";
import { counted, inventory } from "./support/ec2/cloud";
import { changingCalls, Ec2World } from "./support/ec2/world";
import { listen } from "../unit/tools/desk";
import { eventually, factsOf, statusOf } from "./support/http";
import type { Call } from "./support/world";
import { S3Client } from "@aws-sdk/client-s3";

const region = "eu-central-1";
const archive = "rtbcat-csv-archive-frankfurt-328614522524";
const database = "/var/lib/catscan-prod/data/catscan.db";

describe("A live instance that changes (catscan on EC2)", function () {
  this.timeout(300_000);
  let world: Ec2World;
  let first: Awaited<ReturnType<Ec2World["told"]>>;

  const sql = (statement: string): Promise<string> =>
    world.on("catscan", `cd / && runuser -u catscan-prod -- sqlite3 -cmd '.timeout 9000' ${database} "${statement}"`);
  const bootId = (): Promise<string> => world.on("catscan", "cat /proc/sys/kernel/random/boot_id");
  const processes = (): Promise<string> => world.on("catscan", "pgrep -f 'uvicorn api.main:app'");
  const dataDisk = async (): Promise<ec2.Volume> => {
    const { volumes } = await inventory(world);
    assert.equal(volumes.length, 1);
    assert.ok(volumes[0] !== undefined);
    return volumes[0];
  };
  const dataSize = async (): Promise<number> =>
    Number(await world.on("catscan", "df --block-size=1M --output=size /mnt/homeport | tail -1"));
  const health = async (): Promise<number | string> => statusOf(await world.url("catscan", "/health"));
  const nothingChanges = async (): Promise<Call> => {
    await world.aws.clearCalls();
    const again = await world.mustUp();
    assert.deepEqual(Object.keys(again.counts), ["unchanged"]);
    assert.deepEqual(await changingCalls(world.aws), []);
    return again;
  };

  before(async () => {
    world = await Ec2World.open(["catscan"]);
    await world.mustUp();
    first = await world.told("catscan");
    await sql("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('written first')");
  });
  after(() => (world as Ec2World | undefined)?.close());

  /** The row that was written before anything changed is there, and the app answers. */
  const keptAll = async (): Promise<void> => {
    assert.equal(await health(), 200);
    assert.equal(await sql("SELECT text FROM notes"), "written first");
    assert.equal((await world.told("catscan")).publicAddress, first.publicAddress);
  };

  it("stays when a newer image is published", async () => {
    const { ImageId } = await world.instance("catscan");
    const parameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
    assert.notEqual(await world.aws.moveImage(parameter, region), ImageId);
    await nothingChanges();
    assert.equal((await world.told("catscan")).instanceId, first.instanceId);
  });

  it("grows its data disk in place: the file system, too, with no restart", async () => {
    const before = { boot: await bootId(), size: await dataSize(), disk: (await dataDisk()).VolumeId };
    assert.ok(before.size < 30 * 1024, String(before.size));
    await world.set({ "ec2:instances.catscan.dataSize": "40 GiB" });
    await world.mustUp();
    const { VolumeId, Size } = await dataDisk();
    assert.deepEqual([VolumeId, Size], [before.disk, 40]);
    assert.ok((await dataSize()) > 38 * 1024, String(await dataSize()));
    assert.equal(await bootId(), before.boot);
    await keptAll();
    await nothingChanges();
  });

  it("grows its own disk in place, and tells its host of that", async () => {
    const { instanceId } = first;
    const rootOf = async (): Promise<ec2.Volume | undefined> => {
      const { BlockDeviceMappings = [], RootDeviceName } = await world.instance("catscan");
      const id = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName)?.Ebs?.VolumeId;
      return (await world.ec2().send(new ec2.DescribeVolumesCommand({ VolumeIds: [id ?? ""] }))).Volumes?.[0];
    };
    const before = await rootOf();
    assert.equal(before?.Size, 16);
    await world.set({ "ec2:instances.catscan.rootSize": "24 GiB" });
    const { output } = await world.mustUp();
    const after = await rootOf();
    assert.deepEqual([after?.VolumeId, after?.Size], [before.VolumeId, 24]);
    assert.equal((await world.told("catscan")).instanceId, instanceId);
    // The rehearsed machine's / is no disk of its own; that the deploy ran after the disk's change is what is seen here.
    assert.match(output, /catscan-ec2-catscan\S* updated/);
    await nothingChanges();
  });

  it("writes to who is named what the host finds wrong, by the machine's role", async () => {
    await world.set({ "ec2:alarmEmails[0]": "ops@example.com" });
    await world.mustUp();
    const mail = await listen(() => 200, world.site.gateway);
    const client = new sns.SNSClient(world.client());
    const { Topics = [] } = await client.send(new sns.ListTopicsCommand({}));
    assert.equal(Topics.length, 1);
    await client.send(
      new sns.SubscribeCommand({ TopicArn: Topics[0]?.TopicArn, Protocol: "http", Endpoint: mail.url }),
    );
    await world.on("catscan", "systemctl start homeport-alert@catscan-prod-job-gmail-import.service.service");
    await eventually("the message is there", 20, () =>
      Promise.resolve(
        mail.received.some(({ body }) =>
          (JSON.parse(body) as { Subject?: string }).Subject?.startsWith("catscan-prod: catscan-prod-job-gmail-import"),
        ),
      ),
    );
    client.destroy();
    await mail.close();
    await nothingChanges();
  });

  it("becomes a larger type: the same instance, disk and address, with the app back", async () => {
    const pid = await processes();
    await world.set({ "ec2:instances.catscan.type": "t3.small" });
    await world.mustUp();
    assert.equal((await world.instance("catscan")).InstanceType, "t3.small");
    assert.equal((await world.told("catscan")).instanceId, first.instanceId);
    await eventually("the app answers", 60, async () => (await health()) === 200);
    assert.notEqual(await processes(), pid);
    await keptAll();
    await nothingChanges();
  });

  for (const [what, set, args] of [
    ["isn't destroyed", {}, ["destroy", "--yes"]],
    ["isn't replaced", { "ec2:instances.catscan.generation": "2" }, ["up", "--yes"]],
  ] as const) {
    it(`${what} while it is protected: the preview says so, and nothing is touched`, async () => {
      const pid = await processes();
      await world.set(set);
      await world.aws.clearCalls();
      const { code, stdout, stderr } = await world.stack.pulumi(args);
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, /catscan-instance\S* cannot be deleted\s+because it is protected.*unprotect/s);
      assert.deepEqual(await changingCalls(world.aws), []);
      assert.equal(await processes(), pid);
      await keptAll();
    });
  }

  it("is replaced once it may be: another machine with the newest image, the same disk, rows and address", async () => {
    const disk = (await dataDisk()).VolumeId;
    await world.set({ "ec2:instances.catscan.generation": "1", "ec2:instances.catscan.protect": "false" });
    await world.mustUp();
    await world.set({ "ec2:instances.catscan.generation": "2" });
    await world.mustUp();
    const { instanceId } = await world.told("catscan");
    assert.notEqual(instanceId, first.instanceId);
    assert.equal((await dataDisk()).VolumeId, disk);
    assert.equal((await dataDisk()).Attachments?.[0]?.InstanceId, instanceId);
    await keptAll();
    assert.equal((await factsOf(await world.url("catscan", ""))).version.length > 0, true);
    assert.equal(counted(await inventory(world)).instances, 1);
    await nothingChanges();
  });

  it("leaves what is meant to stay when it is destroyed: the data's disk and the archive, and others' things untouched", async () => {
    const disk = (await dataDisk()).VolumeId;
    await world.set({ "ec2:instances.catscan.protect": "false" });
    await world.mustUp();
    const { code, stdout, stderr } = await world.stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    const left = await inventory(world);
    const { volumes, ...others } = left;
    assert.deepEqual(
      volumes.map(({ VolumeId, State }) => [VolumeId, State]),
      [[disk, "available"]],
    );
    for (const [kind, list] of Object.entries(others)) assert.equal(list.length, 0, kind);
    const store = new S3Client({ ...world.client(), forcePathStyle: true });
    assert.ok((await bucketNames(store)).includes(archive));
    const said = await world.ec2("us-east-1").send(new ec2.DescribeInstancesCommand({ InstanceIds: [adopted.id] }));
    assert.equal(said.Reservations?.[0]?.Instances?.[0]?.State?.Name, "running");
  });
});
