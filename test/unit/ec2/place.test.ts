import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import type { StackConfig } from "../../../components/settings";
import { targets } from "../../../targets";
import { checkResource } from "../../../targets/ec2/guard/check";
import type { HostSpec } from "../../../targets/systemd/plan";
import { mockAws, mockedHostKey, mockedKey, type AwsMocks } from "../../support/awsMocks";
import { secretMarkers } from "../../support/config";
import { promiseOf } from "../../support/mocks";
import { catscanInstance, liveConfig, shopiflyInstance, withInstances } from "./ec2Config";

const cwd = resolve(__dirname, "../../..");

/** What AWS tells of an instance that was stopped and started. */
const movedInstance: AwsMocks["answers"] = {
  getInstance: ({ instanceId }) => ({
    id: instanceId,
    arn: `arn:aws:ec2:us-east-1:123456789012:instance/${String(instanceId)}`,
    instanceState: "running",
    instanceType: "t3.xlarge",
    publicIp: "203.0.113.99",
    privateIp: "10.0.0.9",
    subnetId: "subnet-us-east-1",
    vpcSecurityGroupIds: ["sg-existing"],
    rootBlockDevices: [],
    ebsBlockDevices: [],
  }),
};

describe("the prod stack on EC2", () => {
  let mocks: AwsMocks;
  let outputs: Record<string, pulumi.Output<unknown>>;

  const deploy = async (config: StackConfig, answers: AwsMocks["answers"] = {}) => {
    mocks = await mockAws();
    Object.assign(mocks.answers, answers);
    // The SDK keeps the stack of each promise, and mapping those back to TypeScript is most of a deploy's time here.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      outputs = await deployStack({ apps, targets, config, cwd });
      for (const output of Object.values(outputs)) await promiseOf(output);
      await pulumi.runtime.disconnect();
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
  /** The stack as its runbooks have it; deployed once. */
  let first: { mocks: AwsMocks; outputs: typeof outputs } | undefined;
  const deployAsIs = async () => {
    if (first === undefined) {
      await deploy(liveConfig());
      first = { mocks, outputs };
    }
    ({ mocks, outputs } = first);
  };
  const ofType = (type: string) => mocks.recorded.filter((one) => one.type === type);
  const only = (type: string) => {
    const [one, ...more] = ofType(type);
    assert.ok(one !== undefined && more.length === 0, `${type}: ${more.length + (one === undefined ? 0 : 1)}`);
    return one;
  };
  const named = (name: string) => {
    const one = mocks.recorded.find((r) => r.name === name && r.type !== "homeport:ec2:Host");
    assert.ok(one !== undefined, `nothing is named ${name}`);
    return one;
  };
  const optionsOf = (type: string, name: string) => {
    const options = mocks.options.get(`${type} ${name}`);
    assert.ok(options !== undefined, `${type} ${name} isn't registered`);
    return options;
  };
  const specOf = (app: string): HostSpec => {
    const command = mocks.recorded.find((r) => r.type === "command:local:Command" && r.name.startsWith(`${app}-ec2-`));
    return JSON.parse((command?.inputs.stdin as { value: string }).value) as HostSpec;
  };
  const rules = () =>
    ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").map(({ inputs }) => ({
      group: inputs.securityGroupId,
      ports: [inputs.ipProtocol, inputs.fromPort, inputs.toPort].join(" "),
      from: inputs.cidrIpv4 ?? inputs.cidrIpv6,
    }));

  describe("catscan, on a new instance", () => {
    before(deployAsIs);

    it("is a t3.micro in Frankfurt with the newest Amazon Linux, in the default network", () => {
      const { inputs } = only("aws:ec2/instance:Instance");
      assert.equal(inputs.region, "eu-central-1");
      assert.equal(inputs.instanceType, "t3.micro");
      assert.equal(inputs.ami, "ami-of-al2023-ami-kernel-default-x86_64");
      assert.equal(inputs.subnetId, "subnet-eu-central-1");
      const subnets = mocks.asked.find(({ token }) => token.endsWith(":getSubnets"));
      assert.deepEqual(subnets?.inputs.filters, [
        { name: "vpc-id", values: ["vpc-eu-central-1"] },
        { name: "default-for-az", values: ["true"] },
        { name: "availability-zone", values: ["eu-central-1a"] },
      ]);
    });

    it("gives its metadata to itself alone, by IMDSv2", () => {
      assert.deepEqual(only("aws:ec2/instance:Instance").inputs.metadataOptions, {
        httpEndpoint: "enabled",
        httpTokens: "required",
        httpPutResponseHopLimit: 1,
      });
    });

    it("has no user data, so no secret in it", () => {
      const { inputs } = only("aws:ec2/instance:Instance");
      assert.deepEqual([inputs.userData, inputs.userDataBase64], [undefined, undefined]);
    });

    it("has an encrypted gp3 disk of its own, and one for the data that the app declares", () => {
      assert.deepEqual(only("aws:ec2/instance:Instance").inputs.rootBlockDevice, {
        volumeType: "gp3",
        volumeSize: 16,
        encrypted: true,
        deleteOnTermination: true,
      });
      const { inputs } = only("aws:ebs/volume:Volume");
      assert.deepEqual([inputs.size, inputs.type, inputs.encrypted], [30, "gp3", true]);
      assert.equal(inputs.availabilityZone, "eu-central-1a");
    });

    it("keeps the data when the machine goes: another resource, protected, and left behind by a destroy", () => {
      const { protect, retainOnDelete } = optionsOf("aws:ebs/volume:Volume", "catscan-data");
      assert.deepEqual({ protect, retainOnDelete }, { protect: true, retainOnDelete: true });
      const attachment = only("aws:ec2/volumeAttachment:VolumeAttachment");
      assert.deepEqual(attachment.inputs, {
        region: "eu-central-1",
        instanceId: "i-catscan-instance",
        volumeId: "vol-catscan-data",
        deviceName: "/dev/sdf",
        stopInstanceBeforeDetaching: true,
      });
      assert.equal(optionsOf(attachment.type, attachment.name).deleteBeforeReplace, true);
    });

    it("can't be ended by mistake, at AWS nor by the engine", () => {
      assert.equal(only("aws:ec2/instance:Instance").inputs.disableApiTermination, true);
      assert.equal(optionsOf("aws:ec2/instance:Instance", "catscan-instance").protect, true);
      assert.equal(optionsOf("aws:ec2/eip:Eip", "catscan-address").protect, true);
    });

    it("isn't replaced when the image moves on", () => {
      const { ignoreChanges } = optionsOf("aws:ec2/instance:Instance", "catscan-instance");
      assert.deepEqual([...ignoreChanges], ["ami", "userData", "userDataBase64", "volumeTags"]);
    });

    it("lets in the app's port from everywhere, SSH from the configured address, and nothing else", () => {
      assert.deepEqual(rules(), [
        { group: "sg-catscan-group", ports: "tcp 22 22", from: "203.0.113.7/32" },
        { group: "sg-catscan-group", ports: "tcp 8000 8000", from: "0.0.0.0/0" },
        { group: "sg-catscan-group", ports: "tcp 8000 8000", from: "::/0" },
      ]);
      const group = only("aws:ec2/securityGroup:SecurityGroup");
      assert.deepEqual([group.inputs.ingress, group.inputs.egress], [undefined, undefined]);
      assert.deepEqual(only("aws:ec2/instance:Instance").inputs.vpcSecurityGroupIds, ["sg-catscan-group"]);
    });

    it("has an Elastic IP, which a new machine takes over", () => {
      assert.deepEqual(only("aws:ec2/eip:Eip").inputs.domain, "vpc");
      const { inputs } = only("aws:ec2/eipAssociation:EipAssociation");
      assert.equal(inputs.allocationId, "eipalloc-catscan-address");
      assert.equal(inputs.instanceId, "i-catscan-instance");
      assert.equal(inputs.allowReassociation, true);
    });

    it("is entered with a key that was made for the stack and is a secret, and a host key that AWS's console tells", () => {
      assert.equal(only("aws:ec2/keyPair:KeyPair").inputs.publicKey, mockedKey.publicKey);
      assert.deepEqual([...optionsOf("command:local:Command", "ec2-key").secretOutputs], ["stdout"]);
      assert.equal(only("aws:ec2/instance:Instance").inputs.keyName, "homeport-prod-key");
      const { connection } = specOf("catscan");
      assert.deepEqual(connection, {
        address: "198.51.100.20",
        port: 22,
        user: "ec2-user",
        hostKey: mockedHostKey,
        privateKey: mockedKey.privateKey,
      });
    });

    it("tells the host of its data disk, and where its logs and figures go", () => {
      const { plan } = specOf("catscan");
      assert.deepEqual(plan.dataDisk, { serial: "volcatscan-data", sizeGib: 30 });
      assert.deepEqual(plan.monitoring, {
        region: "eu-central-1",
        namespace: "Homeport/prod",
        dimensions: { InstanceId: "i-catscan-instance" },
        logGroup: "/homeport/prod/catscan",
      });
      // The file system on / grows with the machine's own disk.
      assert.equal(plan.rootGib, 16);
      assert.equal(plan.firewall.manage, true);
    });

    it("uses its archive by its role, without a key", () => {
      const { buckets } = specOf("catscan").plan;
      assert.deepEqual(buckets, [
        { name: "archive", bucket: "rtbcat-csv-archive-frankfurt-328614522524", region: "eu-central-1" },
      ]);
      assert.equal(only("aws:ec2/instance:Instance").inputs.iamInstanceProfile, "homeport-prod-catscan");
    });
  });

  describe("shopifly, on the instance that exists", () => {
    before(deployAsIs);

    it("only looks it up: nothing that could replace, restart or end it is registered", () => {
      assert.deepEqual(
        mocks.asked.filter(({ token }) => token.endsWith(":getInstance")).map(({ inputs }) => inputs),
        [{ instanceId: "i-0f05fffd1aba8db0b", region: "us-east-1" }],
      );
      const touching = mocks.recorded.filter(
        ({ type, inputs }) =>
          /^aws:(ec2|ebs|vpc|scheduler)\//.test(type) && JSON.stringify(inputs).includes("i-0f05fffd1aba8db0b"),
      );
      assert.deepEqual(touching, []);
      assert.deepEqual(
        mocks.recorded.filter(({ type, inputs }) => /^aws:(ec2|ebs|vpc)\//.test(type) && inputs.region === "us-east-1"),
        [],
      );
    });

    it("is deployed to at its address as its own user, with the configured host key, its packet filter left alone", () => {
      const { connection, plan } = specOf("shopifly");
      assert.deepEqual(connection, {
        address: "54.197.8.56",
        port: 22,
        user: "ec2-user",
        hostKey: shopiflyInstance.hostKey,
      });
      assert.equal(plan.firewall.manage, false);
      assert.deepEqual([plan.dataDisk, plan.rootGib, plan.monitoring], [undefined, undefined, undefined]);
    });

    it("keeps its backups in a new bucket of its region, with the stack's access key", () => {
      assert.deepEqual(specOf("shopifly").plan.buckets, [
        {
          name: "backups",
          bucket: "shopifly-backups-id",
          region: "us-east-1",
          key: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "marker-s3-secret" },
        },
      ]);
      assert.deepEqual(
        ofType("aws:iam/role:Role").map(({ name }) => name),
        ["ec2-snapshots-role", "catscan-role"],
      );
    });

    it("is watched, and restarted by nobody", () => {
      const alarms = ofType("aws:cloudwatch/metricAlarm:MetricAlarm").filter(({ name }) =>
        name.startsWith("shopifly-"),
      );
      assert.ok(alarms.length >= 3);
      for (const { inputs } of alarms) assert.deepEqual(inputs.alarmActions, []);
    });

    it("goes by the address that AWS tells where none is configured, with the key that is", async () => {
      const secret = { value: "marker-configured-key", secret: true };
      await deploy(withInstances({ shopifly: { address: null } }, { "ec2:privateKey": secret }), movedInstance);
      const { address, privateKey } = specOf("shopifly").connection;
      assert.deepEqual([address, privateKey], ["203.0.113.99", "marker-configured-key"]);
      const { hosts } = await promiseOf(
        outputs.ec2 as pulumi.Output<{ hosts: Record<string, Record<string, pulumi.Output<unknown>>> }>,
      );
      assert.equal(await pulumi.isSecret(pulumi.output(hosts.shopifly?.privateKey)), true);
      // The key of the pair that exists isn't that of the pair that was made.
      assert.equal(specOf("catscan").connection.privateKey, mockedKey.privateKey);
    });

    it("gives rights to its role, and opens ports in its group, only where the stack names them", async () => {
      await deploy(withInstances({ shopifly: { role: "llama", openIn: "sg-08dbaea71e02ae40f" } }));
      const granted = ofType("aws:iam/rolePolicy:RolePolicy").filter(({ inputs }) => inputs.role === "llama");
      assert.deepEqual(granted.map(({ name }) => name).sort(), ["shopifly-backups-grant", "shopifly-monitoring"]);
      assert.equal(specOf("shopifly").plan.buckets[0]?.key, undefined);
      assert.equal(specOf("shopifly").plan.monitoring?.logGroup, "/homeport/prod/shopifly");
      assert.deepEqual(
        rules().filter(({ group }) => group === "sg-08dbaea71e02ae40f"),
        [{ group: "sg-08dbaea71e02ae40f", ports: "tcp 8501 8501", from: "203.0.113.0/24" }],
      );
    });
  });

  describe("as a whole", () => {
    it("passes its own rules of safety", async () => {
      const schedule = { stop: "19:30", start: "07:00", inLive: true };
      await deploy(withInstances({ catscan: { schedule } }, { "ec2:session": "true" }));
      const violations = mocks.recorded.flatMap(({ type, name, inputs }) =>
        checkResource(type, name, withoutSecrets(inputs) as Record<string, unknown>),
      );
      assert.deepEqual(violations, []);
    });

    it("saves data disks daily, seven times, in each region", async () => {
      await deployAsIs();
      const policies = ofType("aws:dlm/lifecyclePolicy:LifecyclePolicy");
      assert.deepEqual(
        policies.map(({ inputs }) => inputs.region),
        ["eu-central-1", "us-east-1"],
      );
      const details = policies[0]?.inputs.policyDetails as Record<string, unknown>;
      const [schedule] = details.schedules as Record<string, unknown>[];
      assert.deepEqual(schedule?.createRule, { interval: 24, intervalUnit: "HOURS", times: "03:00" });
      assert.deepEqual(schedule.retainRule, { count: 7 });
      const tags = only("aws:ebs/volume:Volume").inputs.tags as Record<string, string>;
      for (const [key, value] of Object.entries(details.targetTags as object)) assert.equal(tags[key], value);
    });

    it("shows no secret outside of secret inputs, and keys nowhere but in the stack's secrets", async () => {
      await deployAsIs();
      const shown = mocks.recorded.map(({ inputs }) => JSON.stringify(withoutSecrets(inputs))).join("\n");
      for (const marker of [...secretMarkers, mockedKey.privateKey]) assert.ok(!shown.includes(marker), marker);
      assert.ok(JSON.stringify(mocks.recorded).includes(mockedKey.privateKey));
    });

    it("tells day-two work of its hosts, the private key as a secret", async () => {
      await deployAsIs();
      const told = await promiseOf(
        outputs.ec2 as pulumi.Output<{ hosts: Record<string, Record<string, pulumi.Output<unknown> | string>> }>,
      );
      const { catscan, shopifly } = told.hosts;
      assert.deepEqual(shopifly, {
        instanceId: "i-0f05fffd1aba8db0b",
        region: "us-east-1",
        address: "54.197.8.56",
        publicAddress: "54.197.8.56",
        user: "ec2-user",
        hostKey: shopiflyInstance.hostKey,
      });
      const secretOf = (key: string) => pulumi.isSecret(pulumi.output(catscan?.[key]));
      assert.deepEqual(await Promise.all([secretOf("privateKey"), secretOf("address"), secretOf("hostKey")]), [
        true,
        false,
        false,
      ]);
      assert.equal(await promiseOf(pulumi.output(catscan?.instanceId)), "i-catscan-instance");
    });

    it("shows an app's address in its own output", async () => {
      await deployAsIs();
      const summary = outputs.catscan as pulumi.Output<{ address: string; health: Record<string, string> }>;
      assert.equal(await pulumi.isSecret(summary), false);
      assert.deepEqual((await promiseOf(summary)).health, { api: "http://198.51.100.20:8000/health" });
    });

    it("marks everything that takes tags with its stack", async () => {
      await deploy(liveConfig({ "ec2:alarmEmails": '["ops@example.com"]', "ec2:budget": "50" }));
      const tagless =
        /egress|eipAssociation|volumeAttachment|rolePolicy|topicPolicy|topicSubscription|bucket[A-Z]|instanceProfile$/;
      for (const { type, name, inputs } of mocks.recorded) {
        if (!type.startsWith("aws:") || tagless.test(type)) continue;
        assert.equal(
          (inputs.tags as Record<string, string> | undefined)?.["homeport:stack"],
          "prod",
          `${type} ${name}`,
        );
      }
    });

    it("puts several apps on one instance, with the disk, the ports and the rights of all", async () => {
      await deploy(
        liveConfig({
          "homeport:apps": '["catscan","clausea"]',
          "clausea:target": "ec2",
          "clausea:allowFrom": '["198.51.100.0/24"]',
          "ec2:instances": JSON.stringify({ main: { ...catscanInstance, type: "t3.large", zone: "eu-central-1b" } }),
        }),
      );
      only("aws:ec2/instance:Instance");
      assert.equal(only("aws:ebs/volume:Volume").inputs.availabilityZone, "eu-central-1b");
      assert.deepEqual(
        rules().map(({ ports, from }) => `${ports} ${String(from)}`),
        [
          "tcp 22 22 203.0.113.7/32",
          "tcp 8000 8000 0.0.0.0/0",
          "tcp 8000 8000 ::/0",
          "tcp 8010 8010 0.0.0.0/0",
          "tcp 8010 8010 ::/0",
          "tcp 8511 8511 198.51.100.0/24",
        ],
      );
      for (const app of ["catscan", "clausea"]) {
        assert.equal(specOf(app).connection.address, "198.51.100.20");
        assert.equal(specOf(app).plan.monitoring?.logGroup, `/homeport/prod/${app}`);
        assert.equal(specOf(app).plan.dataDisk?.serial, "volmain-data");
      }
    });

    it("makes one key pair in each region that has a new instance", async () => {
      const second = { type: "t4g.xlarge", region: "eu-west-1", sshFrom: ["203.0.113.7/32"] };
      await deploy(withInstances({ others: { second } }, { "shopifly:host": "second" }));
      assert.deepEqual(
        ofType("aws:ec2/keyPair:KeyPair").map(({ inputs }) => inputs.region),
        ["eu-west-1", "eu-central-1"].sort(),
      );
      assert.equal(named("second-instance").inputs.ami, "ami-of-al2023-ami-kernel-default-arm64");
      assert.equal(ofType("command:local:Command").filter(({ name }) => name === "ec2-key").length, 1);
    });
  });

  describe("by configuration", () => {
    it("replaces the machine by another resource when its generation is raised, and no disk or address", async () => {
      await deploy(withInstances({ catscan: { generation: 2 } }));
      assert.equal(only("aws:ec2/instance:Instance").name, "catscan-instance-2");
      assert.equal(only("aws:ebs/volume:Volume").name, "catscan-data");
      assert.equal(only("aws:ec2/eip:Eip").name, "catscan-address");
      assert.equal(only("aws:ec2/volumeAttachment:VolumeAttachment").inputs.instanceId, "i-catscan-instance-2");
    });

    it("leaves a disk as large as it is where an app has moved away, unless the stack says a size", async () => {
      const disk = { getEbsVolumes: () => ({ ids: ["vol-0123"] }), getVolume: () => ({ size: 80 }) };
      await deploy(liveConfig(), disk);
      assert.equal(only("aws:ebs/volume:Volume").inputs.size, 80);
      const looked = mocks.asked.find(({ token }) => token.endsWith(":getEbsVolumes"));
      assert.equal((looked?.inputs["tags"] as Record<string, string>)["homeport:host"], "catscan");
      await deploy(withInstances({ catscan: { dataSize: "40 GiB" } }), disk);
      assert.equal(only("aws:ebs/volume:Volume").inputs.size, 40);
    });

    it("lets go of an instance, its disk and its address where `protect` is false", async () => {
      await deploy(withInstances({ catscan: { protect: false } }, { "catscan:onDelete": "delete data" }));
      assert.equal(only("aws:ec2/instance:Instance").inputs.disableApiTermination, false);
      const { protect, retainOnDelete } = optionsOf("aws:ebs/volume:Volume", "catscan-data");
      assert.deepEqual({ protect, retainOnDelete }, { protect: false, retainOnDelete: false });
      assert.equal(optionsOf("aws:ec2/instance:Instance", "catscan-instance").protect, false);
    });

    it("protects nothing in a dev stack, and keeps the data's disk all the same", async () => {
      await deploy(liveConfig({ "homeport:environment": "dev" }));
      assert.equal(only("aws:ec2/instance:Instance").inputs.disableApiTermination, false);
      const { protect, retainOnDelete } = optionsOf("aws:ebs/volume:Volume", "catscan-data");
      assert.deepEqual({ protect, retainOnDelete }, { protect: false, retainOnDelete: true });
    });

    it("says in each disk's alarm what gives that disk of that host more room", async () => {
      const advice = (name: string): string => String(named(name).inputs.alarmDescription);
      await deploy(withInstances({ catscan: { rootSize: "20 GiB" }, shopifly: { role: "llama" } }));
      assert.equal(specOf("catscan").plan.rootGib, 20);
      const set = "pulumi config set --path ec2:instances\\.catscan";
      assert.match(advice("catscan-disk-root"), new RegExp(`: ${set}\\.rootSize '40 GiB', then pulumi up$`));
      assert.match(advice("catscan-disk-mnt-homeport"), new RegExp(`: ${set}\\.dataSize '60 GiB', then pulumi up$`));
      // Those of an adopted instance would be refused.
      assert.match(
        advice("shopifly-disk-root"),
        /aws ec2 modify-volume --region us-east-1 --volume-id vol-0aaaaaaaaaaaaaaaa --size GIB, then .*growpart.*xfs_growfs/,
      );
      await deploy(withInstances({ catscan: { volume: "vol-0123456789abcdef0" } }));
      assert.match(
        advice("catscan-disk-mnt-homeport"),
        /modify-volume --region eu-central-1 --volume-id vol-0123456789abcdef0 --size GIB, then .*data-disk mount$/,
      );
      for (const { inputs } of ofType("aws:cloudwatch/metricAlarm:MetricAlarm"))
        assert.ok(String(inputs.alarmDescription).length <= 1024);
    });

    it("attaches a disk that exists in place of a new one", async () => {
      await deploy(withInstances({ catscan: { volume: "vol-0123456789abcdef0" } }));
      assert.deepEqual(ofType("aws:ebs/volume:Volume"), []);
      assert.equal(only("aws:ec2/volumeAttachment:VolumeAttachment").inputs.volumeId, "vol-0123456789abcdef0");
      assert.deepEqual(specOf("catscan").plan.dataDisk, { serial: "vol0123456789abcdef0" });
    });

    it("opens no port 22 where Session Manager is the way, and connects to the instance's id", async () => {
      await deploy(liveConfig({ "ec2:session": "true" }));
      assert.deepEqual(
        rules().map(({ ports }) => ports),
        ["tcp 8000 8000", "tcp 8000 8000"],
      );
      assert.equal(specOf("catscan").connection.address, "i-catscan-instance");
      assert.equal(specOf("catscan").plan.services[0]?.publicPort, 8000);
      const attached = only("aws:iam/rolePolicyAttachment:RolePolicyAttachment").inputs;
      assert.deepEqual(attached.policyArn, "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore");
      const summary = (await promiseOf(outputs.catscan as pulumi.Output<{ health: object }>)).health;
      assert.deepEqual(summary, { api: "http://198.51.100.20:8000/health" });
    });

    it("stops and starts an instance by the clock, by a role that may do that to it alone", async () => {
      const schedule = { stop: "19:30", start: "07:00", days: "MON-FRI", timeZone: "Europe/Berlin", inLive: true };
      await deploy(withInstances({ catscan: { schedule } }));
      const [stop, start] = ofType("aws:scheduler/schedule:Schedule");
      assert.equal(stop?.inputs.scheduleExpression, "cron(30 19 ? * MON-FRI *)");
      assert.equal(start?.inputs.scheduleExpression, "cron(0 7 ? * MON-FRI *)");
      assert.equal(stop.inputs.scheduleExpressionTimezone, "Europe/Berlin");
      const target = stop.inputs.target as Record<string, string>;
      assert.equal(target.arn, "arn:aws:scheduler:::aws-sdk:ec2:stopInstances");
      assert.deepEqual(JSON.parse(target.input ?? ""), { InstanceIds: ["i-catscan-instance"] });
      const policy = JSON.parse(String(named("catscan-schedule-policy").inputs.policy)) as {
        Statement: Record<string, unknown>[];
      };
      assert.deepEqual(
        policy.Statement.map(({ Action, Resource }) => ({ Action, Resource })),
        [
          {
            Action: ["ec2:StartInstances", "ec2:StopInstances"],
            Resource: "arn:aws:ec2:eu-central-1:123456789012:i-/i-catscan-instance",
          },
        ],
      );
      const trust = JSON.parse(String(named("catscan-schedule-role").inputs.assumeRolePolicy)) as typeof policy;
      assert.deepEqual(trust.Statement[0]?.Condition, { StringEquals: { "aws:SourceAccount": "123456789012" } });
    });

    it("has no snapshots where none are wanted", async () => {
      await deploy(liveConfig({ "ec2:snapshots": "none" }));
      assert.deepEqual(ofType("aws:dlm/lifecyclePolicy:LifecyclePolicy"), []);
    });

    it("writes of alarms in each region, and of the month's cost, to those who are named", async () => {
      await deploy(liveConfig({ "ec2:alarmEmails": '["ops@example.com"]', "ec2:budget": "50" }));
      assert.deepEqual(
        ofType("aws:sns/topic:Topic")
          .map(({ inputs }) => inputs.region)
          .sort(),
        ["eu-central-1", "us-east-1"],
      );
      assert.equal(ofType("aws:sns/topicSubscription:TopicSubscription").length, 2);
      assert.equal(only("aws:budgets/budget:Budget").inputs.limitAmount, "50");
      // The host's own findings go to the same topic.
      const arn = "arn:aws:sns:eu-central-1:123456789012:homeport-prod-alarms";
      assert.deepEqual(specOf("catscan").plan.monitoring?.topic, { arn, region: "eu-central-1" });
      const rights = String(named("catscan-monitoring").inputs.policy);
      assert.ok(rights.includes(`"Action":["sns:Publish"],"Resource":"${arn}"`), rights);
      const alarm = named("catscan-cpu-credits").inputs;
      assert.match(String((alarm.alarmActions as string[])[0]), /^arn:aws:sns:eu-central-1:/);
    });

    it("hands Postgres and Redis to AWS, reached by the app's host alone", async () => {
      await deploy(
        liveConfig({
          "homeport:apps": '["hotrod"]',
          "hotrod:target": "ec2",
          "ec2:instances": JSON.stringify({ main: { ...catscanInstance, type: "t3.large" } }),
          "ec2:postgres": "rds",
          "ec2:redis": "elasticache",
          "hotrod:domain": undefined,
        }),
      );
      const { plan } = specOf("hotrod");
      const postgres = plan.databases.find(({ engine }) => engine === "postgres");
      assert.ok(postgres?.engine === "postgres" && postgres.server?.tls === true);
      assert.ok(!plan.databases.some(({ engine }) => engine === "redis"));
      const access = ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").filter(
        ({ inputs }) => inputs.referencedSecurityGroupId !== undefined,
      );
      assert.deepEqual(
        access.map(({ inputs }) => inputs.referencedSecurityGroupId),
        ["sg-main-group", "sg-main-group"],
      );
    });
  });

  describe("when AWS says otherwise", () => {
    const refused = async (answers: AwsMocks["answers"], config = liveConfig()): Promise<string> => {
      mocks = await mockAws();
      Object.assign(mocks.answers, answers);
      try {
        await deployStack({ apps, targets, config, cwd });
      } catch (error) {
        assert.ok(error instanceof pulumi.RunError, String(error));
        assert.doesNotMatch(error.stack ?? "", /\.ts:\d+/);
        return error.message;
      } finally {
        await pulumi.runtime.disconnect();
      }
      return assert.fail("It was deployed.");
    };

    it("refuses to adopt an instance that isn't there", async () => {
      const text = await refused({ getInstance: () => new Error("Your query returned no results.") });
      assert.match(
        text,
        /^ec2:instances\.shopifly\.id: The instance i-0f05fffd1aba8db0b can't be looked up in us-east-1/,
      );
      assert.match(text, /why: .*no results/);
      assert.match(text, /fix: aws ec2 describe-instances --region us-east-1/);
    });

    it("refuses to adopt an instance that was ended", async () => {
      const ended = {
        id: "i-0f05fffd1aba8db0b",
        instanceState: "terminated",
        rootBlockDevices: [],
        ebsBlockDevices: [],
      };
      assert.match(await refused({ getInstance: () => ended }), /is terminated/);
    });

    it("asks for an address where the adopted instance has none", async () => {
      const stopped = {
        id: "i-0f05fffd1aba8db0b",
        arn: "arn:aws:ec2:us-east-1:123456789012:instance/i-0f05fffd1aba8db0b",
        instanceState: "stopped",
        instanceType: "t3.xlarge",
        publicIp: "",
        rootBlockDevices: [],
        ebsBlockDevices: [],
      };
      const text = await refused({ getInstance: () => stopped }, withInstances({ shopifly: { address: null } }));
      assert.match(text, /no public address[^]*fix: aws ec2 start-instances/);
    });

    it("refuses the address that an instance had before it was stopped and started", async () => {
      const text = await refused(movedInstance);
      assert.match(
        text,
        /^ec2:instances\.shopifly\.address: The instance i-0f05fffd1aba8db0b is at 203\.0\.113\.99 by now, and the stack goes to 54\.197\.8\.56/,
      );
      assert.match(text, /fix: pulumi config set --path ec2:instances\.shopifly\.address 203\.0\.113\.99, or /);
    });

    it("warns of a schedule that moves an adopted instance, unless it has an Elastic IP or AWS doesn't say", async () => {
      const told: string[] = [];
      const { warn } = pulumi.log;
      const changed = pulumi.log as { warn: typeof warn };
      changed.warn = (text) => {
        told.push(text);
        return Promise.resolve();
      };
      const schedule = { stop: "19:30", start: "07:00", inLive: true };
      const wandering = async (answers: AwsMocks["answers"], shopifly: object): Promise<boolean> => {
        told.length = 0;
        await deploy(withInstances({ shopifly }), answers);
        return told.some((text) =>
          /schedule: .*no Elastic IP.*aws ec2 associate-address --region us-east-1/.test(text),
        );
      };
      try {
        assert.equal(await wandering({}, { schedule }), true);
        assert.equal(await wandering({ getEips: () => ({ publicIps: ["54.197.8.56"] }) }, { schedule }), false);
        assert.equal(await wandering({ getEips: () => new Error("UnauthorizedOperation") }, { schedule }), false);
        assert.equal(await wandering({}, {}), false);
      } finally {
        changed.warn = warn;
      }
    });

    const managed = (subnets?: string[]) =>
      liveConfig({
        "homeport:apps": '["hotrod"]',
        "hotrod:target": "ec2",
        "ec2:instances": JSON.stringify({
          main: { ...catscanInstance, type: "t3.large", subnet: "subnet-0123456789abcdef0" },
        }),
        "ec2:postgres": "rds",
        "hotrod:domain": undefined,
        ...(subnets === undefined ? {} : { "ec2:databaseSubnets": JSON.stringify(subnets) }),
      });
    /** A network of one's own has no default subnets; that of this one has two, each in a zone. */
    const ownNetwork: AwsMocks["answers"] = {
      getSubnets: ({ filters }) => {
        const wanted = (filters as { name: string; values: string[] }[]).find(({ name }) => name === "subnet-id");
        return { ids: wanted?.values.filter((id) => id !== "subnet-0000000000000000f") ?? [] };
      },
      getSubnet: ({ id }) => ({
        id,
        vpcId: "vpc-own",
        availabilityZone: `eu-central-1${String(id).endsWith("1") ? "b" : "a"}`,
      }),
    };

    it("asks for subnets for databases in a network that has no default ones, before anything is made", async () => {
      const text = await refused(ownNetwork, managed());
      assert.match(text, /^ec2:databaseSubnets: The network vpc-own of host "main" has default subnets in no zone/);
      assert.match(text, /fix: pulumi config set --path 'ec2:databaseSubnets\[0\]' .*Name=vpc-id,Values=vpc-own/);
      assert.deepEqual(ofType("aws:ec2/instance:Instance"), []);
    });

    it("asks for a second zone where all are in one, as where some are of another network", async () => {
      const one = ["subnet-0123456789abcdef0", "subnet-0000000000000000f", "subnet-0123456789abcde00"];
      assert.match(
        await refused(ownNetwork, managed(one)),
        /has configured subnets in eu-central-1a; .* need two zones/,
      );
    });

    it("puts databases into the configured subnets of the host's network", async () => {
      await deploy(
        managed(["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0000000000000000f"]),
        ownNetwork,
      );
      assert.deepEqual(only("aws:rds/subnetGroup:SubnetGroup").inputs.subnetIds, [
        "subnet-0123456789abcdef0",
        "subnet-0123456789abcdef1",
      ]);
    });

    it("asks for another zone where the default network has no subnet in it", async () => {
      const text = await refused({ getSubnets: () => ({ ids: [] }) });
      assert.match(
        text,
        /no subnet in the zone eu-central-1a[^]*fix: pulumi config set --path ec2:instances\.catscan\.zone/,
      );
    });

    it("says that there is no default network, and what to do", async () => {
      const text = await refused({ getVpc: () => new Error("no matching EC2 VPC found") });
      assert.match(text, /why: .*no matching EC2 VPC found[^]*create-default-vpc --region eu-central-1/);
    });

    it("says that a subnet is in another zone than the one that is asked for", async () => {
      const config = withInstances({ catscan: { subnet: "subnet-0123456789abcdef0", zone: "eu-central-1b" } });
      assert.match(await refused({}, config), /is in eu-central-1a, not in eu-central-1b/);
    });
  });
});

const secretSignature = "4dabf18193072939515e22adb298388d";

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if (secretSignature in value) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutSecrets(one)]));
}
