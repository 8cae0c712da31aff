import { type Instance, EC2 } from "@aws-sdk/client-ec2";
import { ElastiCache } from "@aws-sdk/client-elasticache";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Engine, ensureEngine } from "../../engine";
import { Provider } from "../../rehearsal/understudies/aws/provider";
import type { Values } from "../../rehearsal/understudies/aws/schema";
import { type BareAws, startBareAws } from "./awsEmulator";
import { everything } from "./awsProgram";
import { throttling } from "./awsThrottling";
import { type Outcome, TinyProgram, eventually } from "./tinyProgram";

const services = [
  ...["budgets", "cloudwatch", "dlm", "ec2", "elasticache", "iam", "logs"],
  ...["rds", "s3", "scheduler", "sns", "ssm", "sts"],
];
const keys = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "of-the-test" };

describe("The understudy of the aws provider", function () {
  this.timeout(300_000);
  const home = mkdtempSync(path.join(tmpdir(), "homeport-aws-home-"));
  let engine: Engine;
  let aws: BareAws;
  let ec2: EC2;
  let tiny: TinyProgram;
  let others: TinyProgram[] = [];

  const configure = async (program: TinyProgram, endpoint = aws.endpoint): Promise<void> => {
    const endpoints = JSON.stringify([Object.fromEntries(services.map((name) => [name, endpoint]))]);
    const { accessKeyId, secretAccessKey } = keys;
    const config = [
      ...["aws:region=us-east-1", `aws:accessKey=${accessKeyId}`, "aws:s3UsePathStyle=true"],
      ...["aws:maxRetries=3", `aws:endpoints=${endpoints}`],
    ];
    await succeeds(program, "stack", "init", "dev");
    const secrets = [`aws:secretKey=${secretAccessKey}`, "password=Correct-horse-battery1"];
    const pairs = [
      ...config.flatMap((each) => ["--plaintext", each]),
      ...secrets.flatMap((each) => ["--secret", each]),
    ];
    await succeeds(program, "config", "set-all", ...pairs);
  };
  const succeeds = async (program: TinyProgram, ...args: string[]): Promise<string> => {
    const { code, output } = await program.run(...args);
    assert.equal(code, 0, output);
    return output;
  };
  const up = (program = tiny): Promise<string> =>
    succeeds(program, "up", "--yes", "--skip-preview", "--non-interactive");
  const set = (...pairs: string[]): Promise<string> =>
    succeeds(tiny, "config", "set-all", ...pairs.flatMap((each) => ["--plaintext", each]));
  const outputs = async (program = tiny): Promise<Record<string, string> & { ids: Record<string, string> }> =>
    JSON.parse(await succeeds(program, "stack", "output", "--json")) as never;
  const program = async (source: string, endpoint?: string): Promise<TinyProgram> => {
    const made = new TinyProgram(engine, `import * as aws from "@pulumi/aws";\n${source}`);
    others.push(made);
    await configure(made, endpoint);
    return made;
  };
  const instances = async (name: string): Promise<Instance[]> => {
    const { Reservations = [] } = await ec2.describeInstances({ Filters: [{ Name: "tag:Name", Values: [name] }] });
    const all = Reservations.flatMap(({ Instances = [] }) => Instances);
    return all.filter(({ State }) => State?.Name !== "terminated");
  };

  before(async () => {
    [engine, aws] = await Promise.all([ensureEngine({ home }), startBareAws()]);
    ec2 = new EC2({ endpoint: aws.endpoint, region: "us-east-1", credentials: keys });
    tiny = new TinyProgram(engine, everything);
    await configure(tiny);
  });
  afterEach(async () => {
    for (const each of others) await each.remove();
    others = [];
  });
  after(async () => {
    ec2.destroy();
    await tiny.remove();
    await aws.stop();
    rmSync(home, { recursive: true, force: true });
  });

  describe("with each type of resource", () => {
    it("previews them, makes nothing then, and makes them all in one go", async () => {
      assert.match(await succeeds(tiny, "preview"), /\+ 42 to create/);
      assert.deepEqual(await instances("tiny"), []);
      assert.match(await up(), /\+ 42 created/);
      const { ids, seenType } = await outputs();
      assert.match(ids["instance"] ?? "", /^i-[0-9a-f]{17}$/);
      assert.equal(seenType, "t3.micro");
    });

    it("tells no password in the state", () => {
      assert.ok(!tiny.read("state/.pulumi/stacks/tiny/dev.json").includes("Correct-horse"));
    });

    it("finds no difference in what it has made, also after a refresh", async () => {
      assert.match(await up(), /\n\s+42 unchanged\n/);
      assert.match(await succeeds(tiny, "refresh", "--yes", "--skip-preview"), /\n\s+42 unchanged\n/);
      assert.match(await up(), /\n\s+42 unchanged\n/);
    });

    it("updates in place what AWS can change, and names the properties in the preview", async () => {
      const { ids } = await outputs();
      await set(
        ...["type=t3.small", "size=30", "root=12", "userData=#!/bin/sh\necho other\n", "port=444", "stack=other"],
        ...[
          "action=s3:PutObject",
          "right=sns:Subscribe",
          "versioning=Suspended",
          "cold=60",
          "ssl=0",
          "class=db.t4g.small",
        ],
        ...["describeCache=other", "evict=volatile-lru", "days=60", "display=other", "threshold=1", "keep=8"],
        ...["limit=60", "when=rate(1 day)"],
      );
      const preview = await succeeds(tiny, "preview", "--diff");
      for (const line of [
        /~ instanceType *: "t3.micro" => "t3.small"/,
        /~ volumeSize *: 10 => 12/,
        /~ size *: 20 => 30/,
      ]) {
        assert.match(preview, line);
      }
      const said = await up();
      assert.doesNotMatch(said, /replaced|created|deleted/);
      assert.deepEqual((await outputs()).ids, ids);
      const { Volumes } = await ec2.describeVolumes({ VolumeIds: [ids["volume"]!] });
      assert.equal(Volumes?.[0]?.Size, 30);
      const [instance] = await instances("tiny");
      assert.deepEqual([instance?.InstanceType, instance?.State?.Name], ["t3.small", "running"]);
      assert.match(await up(), /\n\s+42 unchanged\n/);
    });

    it("sees what was changed behind its back, and puts it right", async () => {
      const { ids } = await outputs();
      await ec2.createTags({ Resources: [ids["instance"]!], Tags: [{ Key: "Name", Value: "somebody's" }] });
      const { SecurityGroupRules } = await ec2.describeSecurityGroupRules({
        Filters: [{ Name: "group-id", Values: [ids["group"]!] }],
      });
      const web = SecurityGroupRules?.find(({ CidrIpv4 }) => CidrIpv4 === "192.0.2.0/24")?.SecurityGroupRuleId;
      await ec2.revokeSecurityGroupIngress({ GroupId: ids["group"], SecurityGroupRuleIds: [web!] });
      const seen = await succeeds(tiny, "refresh", "--yes", "--skip-preview", "--diff");
      assert.match(seen, /Name *: "tiny" => "somebody's"/);
      assert.match(seen, /- 1 deleted/);
      assert.match(await up(), /\+ 1 created\n\s+~ 1 updated/);
      assert.equal((await instances("tiny")).length, 1);
    });

    it("says why an instance that is protected stays, and takes everything away once it isn't", async () => {
      await set("protect=true");
      await up();
      const { code, output } = await tiny.run("destroy", "--yes", "--skip-preview");
      assert.notEqual(code, 0);
      assert.match(output, /OperationNotPermitted: The instance 'i-\w+' may not be terminated/);
      await set("protect=false");
      await up();
      await succeeds(tiny, "destroy", "--yes", "--skip-preview");
      assert.deepEqual(await instances("tiny"), []);
      const { Volumes = [] } = await ec2.describeVolumes({ Filters: [{ Name: "tag:Name", Values: ["tiny"] }] });
      assert.deepEqual(Volumes, []);
      const elasticache = new ElastiCache({ endpoint: aws.endpoint, region: "us-east-1", credentials: keys });
      const groups = await elasticache.describeCacheParameterGroups({});
      const subnets = await elasticache.describeCacheSubnetGroups({});
      const { Snapshots } = await elasticache.describeSnapshots({});
      elasticache.destroy();
      assert.deepEqual([groups.CacheParameterGroups ?? [], subnets.CacheSubnetGroups ?? []], [[], []]);
      assert.deepEqual(
        Snapshots?.map(({ SnapshotName }) => SnapshotName),
        ["tiny-last"],
      );
    });
  });

  const machine = (name: string, more = "", options = ""): string => `
    const image = aws.ssm.getParameterOutput({ name: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64" });
    const machine = new aws.ec2.Instance("machine", { ami: image.value, instanceType: "t3.micro", tags: { Name: "${name}" }, ${more} }, { ${options} });
    export const id = machine.id;`;
  const someName = (): string => `m-${randomBytes(4).toString("hex")}`;

  it("replaces an instance of another zone: the new one first, unless told otherwise", async () => {
    const name = someName();
    const own = await program(machine(name, `availabilityZone: "us-east-1a"`));
    await up(own);
    const { id } = await outputs(own);
    writeFileSync(
      own.path("index.ts"),
      `import * as aws from "@pulumi/aws";\n${machine(name, `availabilityZone: "us-east-1b"`)}`,
    );
    assert.match(await up(own), /\+-1 replaced/);
    const [left, ...more] = await instances(name);
    assert.deepEqual([left?.Placement?.AvailabilityZone, more.length], ["us-east-1b", 0]);
    assert.notEqual(left?.InstanceId, id);
  });

  it("has the tags of all disks for an instance's own, and leaves the others' where the program ignores that", async () => {
    const name = someName();
    const disks = (options: string): string => `${machine(name, `volumeTags: { disk: "root" }`, options)}
      const data = new aws.ebs.Volume("data", { availabilityZone: machine.availabilityZone, size: 5, type: "gp3", tags: { kept: "${name}" } });
      new aws.ec2.VolumeAttachment("data", { instanceId: machine.id, volumeId: data.id, deviceName: "/dev/sdf" });`;
    const own = await program(disks(`ignoreChanges: ["volumeTags"]`));
    await up(own);
    const tagged = async (): Promise<number> =>
      (await ec2.describeVolumes({ Filters: [{ Name: "tag:kept", Values: [name] }] })).Volumes?.length ?? 0;
    assert.match(await succeeds(own, "refresh", "--yes", "--skip-preview"), /\n\s+4 unchanged\n/);
    assert.match(await up(own), /\n\s+4 unchanged\n/);
    assert.equal(await tagged(), 1);
    writeFileSync(own.path("index.ts"), `import * as aws from "@pulumi/aws";\n${disks("")}`);
    assert.match(await up(own), /~ 1 updated/);
    assert.equal(await tagged(), 0);
  });

  it("adopts by import what is there", async () => {
    const { VolumeId } = await ec2.createVolume({ AvailabilityZone: "us-east-1a", Size: 5, VolumeType: "gp3" });
    const volume = `new aws.ebs.Volume("kept", { availabilityZone: "us-east-1a", size: 5, type: "gp3" }, { import: "${VolumeId!}" });`;
    const own = await program(volume);
    assert.match(await up(own), /= 1 imported/);
    assert.match(await up(own), /\n\s+2 unchanged/);
  });

  const refusal = async (source: string): Promise<string> => {
    const own = await program(source);
    const { code, output } = await own.run("preview", "--non-interactive");
    assert.notEqual(code, 0, output);
    return output;
  };
  it("refuses types and functions that it doesn't know", async () => {
    assert.match(
      await refusal(`new aws.sqs.Queue("queue");`),
      /doesn't know the resource type aws:sqs\/queue:Queue[^]*rehearsal\/understudies\/aws\/resources\.ts/,
    );
    const zones = await refusal(`aws.getAvailabilityZones({});`);
    assert.match(zones, /doesn't know the function aws:index\/getAvailabilityZones/);
  });

  it("refuses in the preview what moto would take", async () => {
    assert.match(
      await refusal(`new aws.ec2.Instance("i", { instanceType: "t3.humongous" });`),
      /'t3\.humongous' is not one of .*E3628/,
    );
    const provider = new Provider({ region: "us-east-1", endpoints: {}, pathStyle: true, attempts: 1 });
    const policy = (statement: object): string => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    const read = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
    const said = async (token: string, news: Values): Promise<string> => {
      const { failures } = await provider.check(token, { name: "x", olds: {}, news, random: "abc1234" });
      return failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n");
    };
    const rolePolicy = (statement: object): Promise<string> =>
      said("aws:iam/rolePolicy:RolePolicy", { role: "r", policy: policy(statement) });
    assert.equal(await rolePolicy(read), "");
    assert.match(await rolePolicy({ ...read, Action: "s3:GetObjekt" }), /^policy\.Statement\[0\].*getobjekt.*W3037/);
    assert.match(await rolePolicy({ ...read, Effect: "allow" }), /'allow' is not one of .*E3510/);
    assert.match(
      await said("aws:s3/bucketPolicy:BucketPolicy", { bucket: "b", policy: policy(read) }),
      /Principal.*E3512/,
    );
    const volume = { availabilityZone: "us-east-1a", type: "gp3", size: 70_000 };
    assert.match(await said("aws:ebs/volume:Volume", volume), /^size: .* takes 1 to 65536, got 70000/);
    const database = { engine: "postgres", instanceClass: "db.t3.humongous" };
    assert.match(await said("aws:rds/instance:Instance", database), /^instanceClass: .*E3025/);
  });

  it("tries again, and more slowly, when AWS is asked too often", async () => {
    const way = await throttling(aws.endpoint);
    try {
      const name = someName();
      way.refuse.set("RunInstances", 3);
      way.refuse.set("DescribeInstances", 2);
      const own = await program(machine(name), way.url);
      await up(own);
      assert.deepEqual([way.refuse.get("RunInstances"), way.refuse.get("DescribeInstances")], [0, 0]);
      assert.equal((await instances(name)).length, 1);
      way.refuse.set("TerminateInstances", 100);
      const { output } = await own.run("destroy", "--yes", "--skip-preview");
      assert.match(output, /after 4 attempts, api error RequestLimitExceeded: Slow down\./);
      way.refuse.clear();
      await succeeds(own, "destroy", "--yes", "--skip-preview");
    } finally {
      way.server.closeAllConnections();
      way.server.close();
    }
  });

  it("converges after the engine was killed in the middle, and leaves no process", async () => {
    const own = await program(`
      const vpc = aws.ec2.getVpcOutput({ default: true });
      for (let n = 0; n < 12; n += 1) new aws.ec2.SecurityGroup("group-" + n, { vpcId: vpc.id });`);
    const { child, ended } = own.start("up", "--yes", "--skip-preview", "--non-interactive");
    const groups = async (): Promise<number> => {
      const { SecurityGroups = [] } = await ec2.describeSecurityGroups({
        Filters: [{ Name: "group-name", Values: ["group-*"] }],
      });
      return SecurityGroups.length;
    };
    while ((await groups()) < 3 && child.exitCode === null) await new Promise((done) => setTimeout(done, 20));
    child.kill("SIGKILL");
    await ended;
    await eventually(
      () => !own.processes().some((line) => line.includes("pulumi-resource-aws")),
      "the plugin still runs",
    );
    await own.run("cancel", "--yes");
    const again: Outcome = await own.up();
    assert.equal(again.code, 0, again.output);
    assert.match(await up(own), /\n\s+13 unchanged/);
  });

  it("isn't started for a program that has no resource of AWS", async () => {
    const own = await program(`import { RandomId } from "@pulumi/random"; new RandomId("id", { byteLength: 4 });`);
    const seen: string[] = [];
    const { ended } = own.start("up", "--yes", "--skip-preview", "--non-interactive");
    const watch = setInterval(() => seen.push(...own.processes()), 20);
    assert.equal((await ended).code, 0);
    clearInterval(watch);
    assert.ok(seen.some((line) => line.includes("pulumi-resource-random")));
    assert.deepEqual(
      seen.filter((line) => line.includes("pulumi-resource-aws")),
      [],
    );
  });
});
