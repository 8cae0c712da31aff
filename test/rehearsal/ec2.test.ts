import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as dlm from "@aws-sdk/client-dlm";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { adopted } from "../../rehearsal/liveApps";
import { Cli } from "./support/cli";
import { bucketFacts, bucketNames } from "./support/buckets";
import { counted, inventory, listed, oneOfEach, rightsOf, rulesOf, type Inventory } from "./support/ec2/cloud";
import { changingCalls, Ec2World } from "./support/ec2/world";
import { eventually, statusOf } from "./support/http";
import { madePasswords, secretsIn, type Marker } from "./support/secrets";
import type { Call } from "./support/world";

const region = "eu-central-1";
const archive = "rtbcat-csv-archive-frankfurt-328614522524";

describe("The live stack's apps on EC2 (shopifly adopted, catscan new)", function () {
  this.timeout(300_000);
  let world: Ec2World;
  let first: Call;
  let made: Inventory;
  let cli: Cli;
  let adoptedBefore: { instance: ec2.Instance; bootId: string; rules: string[] };
  const printed: string[] = [];

  const shopiflyNow = async () => ({
    instance: await adoptedInstance(),
    bootId: (await world.shopifly.exec("cat /proc/sys/kernel/random/boot_id")).stdout.trim(),
    rules: await rulesOf(world.ec2("us-east-1"), adopted.securityGroup),
  });
  const adoptedInstance = async (): Promise<ec2.Instance> => {
    const said = await world.ec2("us-east-1").send(new ec2.DescribeInstancesCommand({ InstanceIds: [adopted.id] }));
    const instance = said.Reservations?.[0]?.Instances?.[0];
    assert.ok(instance !== undefined);
    return instance;
  };
  const catscan = (): ec2.Instance => {
    const [instance] = made.instances;
    assert.ok(instance !== undefined, "no instance bears the stack's tag");
    return instance;
  };
  const volumeOf = (id: string | undefined): Promise<ec2.Volume> =>
    world
      .ec2()
      .send(new ec2.DescribeVolumesCommand({ VolumeIds: [id ?? ""] }))
      .then(({ Volumes }) => {
        assert.ok(Volumes?.[0] !== undefined);
        return Volumes[0];
      });
  const dataVolume = (): ec2.Volume => {
    const [volume] = made.volumes;
    assert.ok(volume !== undefined, "no volume bears the stack's tag");
    return volume;
  };
  const store = (): s3.S3Client => new s3.S3Client({ ...world.client(), forcePathStyle: true });
  const alarmOf = async (label: string): Promise<cloudwatch.MetricAlarm> => {
    const said = await new cloudwatch.CloudWatchClient(world.client()).send(
      new cloudwatch.DescribeAlarmsCommand({ AlarmNames: [`homeport-prod-catscan/${label}`] }),
    );
    const alarm = said.MetricAlarms?.[0];
    assert.ok(alarm !== undefined, `there is no alarm ${label}`);
    return alarm;
  };

  before(async () => {
    world = await Ec2World.open();
    cli = new Cli(world);
    adoptedBefore = await shopiflyNow();
    await world.aws.clearCalls();
    first = await world.mustUp();
    printed.push(first.output);
    made = await inventory(world);
  });
  after(async () => {
    (cli as Cli | undefined)?.stop();
    await (world as Ec2World | undefined)?.close();
  });

  describe("after the first `up`", () => {
    for (const [name, path] of [
      ["catscan", "/health"],
      ["shopifly", "/_stcore/health"],
    ] as const) {
      it(`${name} answers its health check from this machine, at its public address`, async () => {
        assert.equal(await statusOf(await world.url(name, path)), 200);
      });
    }

    it("has made one of each for catscan, and nothing of the kind for shopifly", async () => {
      assert.deepEqual(counted(made), oneOfEach);
      assert.deepEqual(made.roles, ["homeport-prod-catscan", "homeport-prod-snapshots"]);
      const { instances, volumes, addresses, groups } = await inventory(world, "us-east-1");
      assert.deepEqual(
        { instances, volumes, addresses, groups },
        { instances: [], volumes: [], addresses: [], groups: [] },
      );
    });
  });

  describe("catscan's instance", () => {
    it("is a t3.micro in Frankfurt", () => {
      assert.equal(catscan().InstanceType, "t3.micro");
      assert.equal(catscan().Placement?.AvailabilityZone, `${region}a`);
    });

    it("runs the newest Amazon Linux 2023", async () => {
      const { Images = [] } = await world
        .ec2()
        .send(new ec2.DescribeImagesCommand({ ImageIds: [catscan().ImageId ?? ""] }));
      assert.match(Images[0]?.Name ?? "", /al2023/);
    });

    it("gives its metadata by tokens alone, and to no container", () => {
      const { HttpTokens, HttpEndpoint, HttpPutResponseHopLimit } = catscan().MetadataOptions ?? {};
      assert.deepEqual(
        { HttpTokens, HttpEndpoint, HttpPutResponseHopLimit },
        {
          HttpTokens: "required",
          HttpEndpoint: "enabled",
          HttpPutResponseHopLimit: 1,
        },
      );
    });

    it("is protected from being ended", async () => {
      const said = await world.ec2().send(
        new ec2.DescribeInstanceAttributeCommand({
          InstanceId: catscan().InstanceId,
          Attribute: "disableApiTermination",
        }),
      );
      assert.equal(said.DisableApiTermination?.Value, true);
    });

    it("has no user data, so no key in it", async () => {
      const said = await world
        .ec2()
        .send(new ec2.DescribeInstanceAttributeCommand({ InstanceId: catscan().InstanceId, Attribute: "userData" }));
      assert.equal(said.UserData?.Value ?? "", "");
    });

    it("has an encrypted gp3 disk of its own of 16 GiB, which goes with it", async () => {
      const root = catscan().BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === catscan().RootDeviceName);
      const { VolumeType, Encrypted, Size } = await volumeOf(root?.Ebs?.VolumeId);
      assert.deepEqual({ VolumeType, Encrypted, Size }, { VolumeType: "gp3", Encrypted: true, Size: 16 });
      assert.equal(root?.Ebs?.DeleteOnTermination, true);
    });

    it("has its data on an encrypted gp3 disk of 30 GiB, which outlives it", async () => {
      const { VolumeType, Encrypted, Size, Attachments = [], AvailabilityZone } = dataVolume();
      assert.deepEqual(
        { VolumeType, Encrypted, Size, AvailabilityZone },
        { VolumeType: "gp3", Encrypted: true, Size: 30, AvailabilityZone: `${region}a` },
      );
      assert.equal(Attachments[0]?.InstanceId, catscan().InstanceId);
      assert.notEqual(Attachments[0]?.DeleteOnTermination, true);
      assert.match(
        await world.on("catscan", "findmnt --noheadings --output SOURCE,FSTYPE /mnt/homeport"),
        /^\S+ +(xfs|ext4)$/,
      );
      const source = "findmnt --noheadings --nofsroot --output SOURCE --target";
      assert.equal(
        await world.on("catscan", `${source} /var/lib/catscan-prod/data/catscan.db`),
        await world.on("catscan", `${source} /mnt/homeport`),
      );
    });

    it("is reached at an Elastic IP of its own", async () => {
      assert.equal(made.addresses[0]?.InstanceId, catscan().InstanceId);
      assert.equal((await world.told("catscan")).publicAddress, made.addresses[0]?.PublicIp);
    });

    it("lets in the API from everywhere, SSH from the configured address alone, and nothing else", async () => {
      const rules = await rulesOf(world.ec2(), made.groups[0]?.GroupId ?? "");
      assert.deepEqual(rules, [
        `in tcp 22 from ${world.site.gateway}/32`,
        "in tcp 8000 from 0.0.0.0/0",
        "in tcp 8000 from ::/0",
        "out all to 0.0.0.0/0",
        "out all to ::/0",
      ]);
      assert.deepEqual(
        catscan().SecurityGroups?.map(({ GroupId }) => GroupId),
        [made.groups[0]?.GroupId],
      );
    });

    it("lets in the stack's own key alone", () => {
      assert.equal(catscan().KeyName, made.keys[0]?.KeyName);
      assert.equal(made.keys[0]?.KeyType, "ed25519");
    });
  });

  describe("catscan's role", () => {
    it("is the instance's, and may do what the app needs with what is the app's", async () => {
      assert.match(catscan().IamInstanceProfile?.Arn ?? "", /instance-profile\/homeport\/prod\/homeport-prod-catscan$/);
      const { statements, attached } = await rightsOf(world, "homeport-prod-catscan");
      assert.deepEqual(attached, []);
      const actions = statements.flatMap(({ Action }) => listed(Action)).sort();
      assert.deepEqual(actions, [
        "cloudwatch:PutMetricData",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
        "s3:AbortMultipartUpload",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
      ]);
    });

    it("has no wildcard, but for metrics, which AWS narrows by namespace alone", async () => {
      const { statements } = await rightsOf(world, "homeport-prod-catscan");
      for (const { Action, Resource, Condition } of statements) {
        assert.ok(!listed(Action).some((one) => one.includes("*")), String(Action));
        if (listed(Action).join() === "cloudwatch:PutMetricData") {
          assert.match(JSON.stringify(Condition), /"StringEquals":\{"cloudwatch:namespace":"[^"*]+"\}/);
          continue;
        }
        for (const one of listed(Resource)) {
          const own = one.includes(archive) || one.includes("log-group:/homeport/prod/catscan");
          assert.ok(own, `${String(Action)} on ${one}`);
        }
      }
    });

    it("may be taken on by EC2 alone", async () => {
      const client = new iam.IAMClient(world.client());
      const { Role } = await client.send(new iam.GetRoleCommand({ RoleName: "homeport-prod-catscan" }));
      const trust = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "")) as {
        Statement: { Principal: unknown }[];
      };
      assert.deepEqual(
        trust.Statement.map(({ Principal }) => Principal),
        [{ Service: "ec2.amazonaws.com" }],
      );
    });
  });

  describe("the archives", () => {
    it("are the adopted one, not made again, and shopifly's own", async () => {
      const names = await bucketNames(store());
      assert.equal(names.length, 2, names.join());
      assert.ok(names.includes(archive));
      const makes = (await world.aws.calls()).filter(({ action }) => /^PUT \/[^/?]+\/?$/.test(action));
      assert.deepEqual(
        makes.map(({ action }) => action.split("/")[1]),
        names.filter((name) => name !== archive),
      );
    });

    it("catscan's is versioned, encrypted, closed to the public, cold after 30 days, and keeps everything", async () => {
      assert.deepEqual(await bucketFacts(store(), archive), {
        versioning: "Enabled",
        encryption: "AES256",
        isPrivate: true,
        coldAfter: 30,
        expires: false,
      });
      const { Rules = [] } = await store().send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket: archive }));
      assert.deepEqual(
        Rules.flatMap(({ Transitions = [] }) => Transitions.map(({ StorageClass }) => StorageClass)),
        ["STANDARD_IA"],
      );
    });

    // The driver that sets up the adopted one leaves this out for a store of plain http, as the emulator is one.
    it("shopifly's refuses what comes without TLS", async () => {
      const Bucket = (await bucketNames(store())).find((name) => name !== archive);
      const { Policy = "{}" } = await store().send(new s3.GetBucketPolicyCommand({ Bucket }));
      const { Statement } = JSON.parse(Policy) as { Statement: { Effect: string; Condition?: unknown }[] };
      assert.deepEqual(
        Statement.map(({ Effect, Condition }) => ({ Effect, Condition })),
        [{ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }],
      );
    });

    it("shopifly's is versioned, encrypted, closed to the public, and keeps everything", async () => {
      const Bucket = (await bucketNames(store())).find((name) => name !== archive) ?? "";
      const { versioning, encryption, isPrivate, expires } = await bucketFacts(store(), Bucket);
      assert.deepEqual(
        { versioning, encryption, isPrivate, expires },
        {
          versioning: "Enabled",
          encryption: "AES256",
          isPrivate: true,
          expires: false,
        },
      );
    });

    it("get backups from both hosts: catscan by its role, without a key on it", async () => {
      await world.on("catscan", "systemctl start catscan-prod-backup-db.service");
      const { Contents = [] } = await store().send(new s3.ListObjectsV2Command({ Bucket: archive }));
      assert.ok(
        Contents.some(({ Key = "" }) => /db/.test(Key)),
        JSON.stringify(Contents.map(({ Key }) => Key)),
      );
      const keys = await world.on(
        "catscan",
        "grep -rlE 'AWS_SECRET_ACCESS_KEY|SECRET_ACCESS_KEY=.' /etc/homeport | cat",
      );
      assert.equal(keys, "");
      const unit = "shopifly-prod-backup-db.service";
      await world.on("shopifly", `systemctl start ${unit} || { journalctl --no-pager -n 20 -u ${unit} >&2; false; }`);
      const other = (await bucketNames(store())).find((name) => name !== archive);
      const said = await store().send(new s3.ListObjectsV2Command({ Bucket: other }));
      assert.ok((said.Contents ?? []).length > 0, `${other} is empty`);
    });
  });

  describe("watching", () => {
    it("has an alarm for status checks, CPU credits, what they cost, and both disks", () => {
      assert.deepEqual(
        made.alarms.map((name) => name.replace("homeport-prod-catscan/", "")),
        [
          "cpu-charges",
          "cpu-credits",
          "disk-check",
          "disk-mnt-homeport",
          "disk-root",
          "instance-check",
          "system-check",
        ],
      );
    });

    it("alarms for disks above 80 %, of this instance", async () => {
      for (const label of ["disk-root", "disk-mnt-homeport"]) {
        const alarm = await alarmOf(label);
        assert.equal(alarm.Threshold, 80);
        assert.equal(alarm.ComparisonOperator, "GreaterThanOrEqualToThreshold");
        const dimension = alarm.Dimensions?.find(({ Name }) => Name === "InstanceId");
        assert.equal(dimension?.Value, catscan().InstanceId);
      }
    });

    it("recovers the instance where AWS's own machine fails, and restarts it where it hangs", async () => {
      assert.deepEqual((await alarmOf("system-check")).AlarmActions, [`arn:aws:automate:${region}:ec2:recover`]);
      assert.deepEqual((await alarmOf("instance-check")).AlarmActions, [`arn:aws:automate:${region}:ec2:reboot`]);
    });

    it("gets the disks' figures that its alarms look at, and the apps' lines, from the host by its role", async () => {
      await world.on("catscan", "systemctl start homeport-cloudwatch.service");
      const client = new cloudwatch.CloudWatchClient(world.client());
      const { Namespace, MetricName, Dimensions } = await alarmOf("disk-mnt-homeport");
      await eventually("the metric is there", 20, async () => {
        const { Metrics = [] } = await client.send(new cloudwatch.ListMetricsCommand({ Namespace, MetricName }));
        const wanted = JSON.stringify((Dimensions ?? []).map(({ Name, Value }) => `${Name}=${Value}`).sort());
        return Metrics.some(
          (one) =>
            JSON.stringify((one.Dimensions ?? []).map(({ Name, Value }) => `${Name}=${Value}`).sort()) === wanted,
        );
      });
      const lines = new logs.CloudWatchLogsClient(world.client());
      await eventually("a line of the API is there", 20, async () => {
        const { events = [] } = await lines.send(
          new logs.FilterLogEventsCommand({ logGroupName: "/homeport/prod/catscan" }),
        );
        return events.some(({ message = "" }) => /uvicorn|Uvicorn|GET \/health|Started server/i.test(message));
      });
    });

    it("keeps logs for 30 days", async () => {
      const said = await new logs.CloudWatchLogsClient(world.client()).send(
        new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: "/homeport/prod/catscan" }),
      );
      assert.deepEqual(
        said.logGroups?.map(({ retentionInDays }) => retentionInDays),
        [30],
      );
    });

    it("saves the data disk, and what else bears its tag, as a snapshot a day, and keeps seven", async () => {
      const client = new dlm.DLMClient(world.client());
      const { Policies = [] } = await client.send(new dlm.GetLifecyclePoliciesCommand({}));
      assert.equal(Policies.length, 1);
      const { Policy } = await client.send(new dlm.GetLifecyclePolicyCommand({ PolicyId: Policies[0]?.PolicyId }));
      assert.ok(Policy?.State === "ENABLED");
      const { TargetTags = [], Schedules = [] } = Policy.PolicyDetails ?? {};
      for (const { Key, Value } of TargetTags)
        assert.ok(
          dataVolume().Tags?.some((tag) => tag.Key === Key && tag.Value === Value),
          `${Key}=${Value}`,
        );
      assert.ok(TargetTags.length > 0);
      assert.deepEqual([Schedules[0]?.CreateRule?.Interval, Schedules[0]?.RetainRule?.Count], [24, 7]);
    });
  });

  describe("shopifly's instance, which was there before", () => {
    it("is what it was: not replaced, changed or restarted, its rules untouched", async () => {
      assert.equal((await world.told("shopifly")).instanceId, adopted.id);
      assert.deepEqual(await shopiflyNow(), adoptedBefore);
      assert.equal(adoptedBefore.instance.InstanceType, "t3.xlarge");
      assert.equal(adoptedBefore.instance.Placement?.AvailabilityZone, "us-east-1a");
    });
  });

  describe("day two, from the stack's outputs alone", () => {
    it("`homeport status` tells of the app and its health", async () => {
      const { apps } = JSON.parse(await cli.must(["status", "catscan", "--json"])) as { apps: { app: string }[] };
      assert.deepEqual(
        apps.map(({ app }) => app),
        ["catscan"],
      );
      assert.match(await cli.must(["status", "catscan"]), /catscan/);
    });

    it("`homeport run` runs a command of the app, and `homeport logs` shows its lines", async () => {
      assert.notEqual(await cli.must(["run", "catscan", "cleanup-preview"]), "");
      assert.match(await cli.must(["logs", "catscan"]), /uvicorn|GET \/health/i);
    });
  });

  describe("when nothing has changed", () => {
    it("changes nothing and makes no call of AWS that could", async () => {
      await world.aws.clearCalls();
      const again = await world.mustUp();
      printed.push(again.output);
      assert.deepEqual(Object.keys(again.counts), ["unchanged"]);
      assert.deepEqual(await changingCalls(world.aws), []);
      assert.ok((await world.aws.calls()).length > 0, "the calls aren't seen");
    });

    it("sees no drift", async () => {
      const seen = await world.stack.pulumi(["preview", "--refresh", "--expect-no-changes"]);
      assert.equal(seen.code, 0, seen.stdout + seen.stderr);
    });
  });

  describe("what was changed behind its back", () => {
    it("is seen by `refresh`, and `up` mends it: a rule taken away, one put in its place, an alarm set wrong", async () => {
      const client = world.ec2();
      const GroupId = made.groups[0]?.GroupId;
      const open = (CidrIp: string) => ({
        GroupId,
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 8000, ToPort: 8000, IpRanges: [{ CidrIp }] }],
      });
      await client.send(new ec2.RevokeSecurityGroupIngressCommand(open("0.0.0.0/0")));
      const alarm = await alarmOf("disk-root");
      await new cloudwatch.CloudWatchClient(world.client()).send(
        new cloudwatch.PutMetricAlarmCommand({
          AlarmName: alarm.AlarmName,
          Namespace: alarm.Namespace,
          MetricName: alarm.MetricName,
          Statistic: alarm.Statistic,
          Period: alarm.Period,
          EvaluationPeriods: alarm.EvaluationPeriods,
          ComparisonOperator: alarm.ComparisonOperator,
          Dimensions: alarm.Dimensions,
          AlarmDescription: alarm.AlarmDescription,
          AlarmActions: alarm.AlarmActions,
          TreatMissingData: alarm.TreatMissingData,
          Threshold: 99,
        }),
      );
      const seen = await world.stack.pulumi(["refresh", "--yes", "--skip-preview"]);
      assert.equal(seen.code, 0, seen.stdout + seen.stderr);
      assert.match(seen.stdout, /catscan-8000-from-everyone deleted|- +aws:vpc\S+ +catscan-8000-from-everyone/);
      assert.match(seen.stdout, /catscan-disk-root updated|~ +aws:cloudwatch\S+ +catscan-disk-root/);
      await world.mustUp();
      assert.ok((await rulesOf(client, GroupId ?? "")).includes("in tcp 8000 from 0.0.0.0/0"));
      assert.equal((await alarmOf("disk-root")).Threshold, 80);
    });
  });

  describe("secrets", () => {
    it("stand in nothing that was printed, and in no output", async () => {
      const given: Marker[] = [
        { of: "ec2:privateKey", text: world.shopifly.privateKey.split("\n")[2] ?? "" },
        { of: "aws:secretKey", text: world.aws.secretAccessKey },
        ...(await madePasswords(world.stack)),
      ];
      const outputs = await world.stack.pulumi(["stack", "output", "--json"]);
      const shown = [...printed, cli.output, outputs.stdout].join("\n");
      assert.deepEqual(secretsIn(shown, given), []);
      const revealed = await world.stack.pulumi(["stack", "output", "--json", "--show-secrets"]);
      assert.deepEqual(
        secretsIn(revealed.stdout, given),
        ["ec2:privateKey"],
        "the markers find nothing where they should",
      );
    });
  });
});
