import assert from "node:assert/strict";
import { hostAlarms } from "../../../targets/ec2/alarms";
import { monthlyBudget } from "../../../targets/ec2/budget";
import { alarmTopic, logGroups, watchHost, type WatchArgs } from "../../../targets/ec2/watching";
import { watchingSettings } from "../../../targets/ec2/watchingSettings";
import { register } from "./parts";

const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm";
const args: WatchArgs = {
  name: "main",
  region: "eu-central-1",
  stack: "prod",
  instanceId: "i-1",
  burstable: true,
  namespace: "Homeport/prod",
  disks: [
    { path: "/", growth: "pulumi config set --path ec2:instances.main.rootSize '32 GiB'" },
    { path: "/var/lib/data", growth: "aws ec2 modify-volume" },
  ],
  topicArn: "arn:topic",
};
const watch = async (changes: Partial<WatchArgs> = {}) => {
  const { registered } = await register((parent) => {
    watchHost(parent, { ...args, ...changes });
  });
  return Object.fromEntries(registered.ofType(alarmType).map(({ name, inputs }) => [name, inputs]));
};

describe("the alarms of a host", () => {
  it("are on status, credits and disks, each once, named by stack, host and matter", async () => {
    const alarms = await watch();
    assert.deepEqual(
      Object.values(alarms)
        .map(({ name }) => name)
        .sort(),
      [
        "homeport-prod-main/cpu-charges",
        "homeport-prod-main/cpu-credits",
        "homeport-prod-main/disk-check",
        "homeport-prod-main/disk-root",
        "homeport-prod-main/disk-var-lib-data",
        "homeport-prod-main/instance-check",
        "homeport-prod-main/system-check",
      ],
    );
    for (const { dimensions, okActions, region } of Object.values(alarms)) {
      assert.equal((dimensions as Record<string, string>).InstanceId, "i-1");
      // CloudWatch sends OK also when the first figures of a new or started instance come in.
      assert.deepEqual([okActions, region], [undefined, "eu-central-1"]);
    }
  });

  it("go off where a disk is more than 80 % full by the host's own metric", async () => {
    const alarm = (await watch())["main-disk-var-lib-data"];
    assert.deepEqual(
      [alarm?.namespace, alarm?.metricName, alarm?.dimensions, alarm?.threshold, alarm?.comparisonOperator],
      [
        "Homeport/prod",
        "DiskUsedPercent",
        { InstanceId: "i-1", Path: "/var/lib/data" },
        80,
        "GreaterThanOrEqualToThreshold",
      ],
    );
    assert.match(
      String(alarm?.alarmDescription),
      /^\/var\/lib\/data is more than 80 % full: .*: aws ec2 modify-volume$/,
    );
    assert.equal((await watch({ diskAlarm: 0.7 }))["main-disk-root"]?.threshold, 70);
  });

  it("move a machine off broken hardware, and restart one that hangs, a minute apart", async () => {
    const alarms = await watch();
    const [system, instance] = [alarms["main-system-check"], alarms["main-instance-check"]];
    assert.deepEqual(system?.alarmActions, ["arn:aws:automate:eu-central-1:ec2:recover", "arn:topic"]);
    assert.deepEqual(instance?.alarmActions, ["arn:aws:automate:eu-central-1:ec2:reboot", "arn:topic"]);
    assert.deepEqual(
      [system, instance].map((alarm) => alarm.evaluationPeriods),
      [2, 3],
    );
  });

  it("restart nothing that isn't theirs to restart", async () => {
    for (const { alarmActions } of Object.values(await watch({ restart: false })))
      assert.deepEqual(alarmActions, ["arn:topic"]);
  });

  it("stand in the console also where nobody is told", async () => {
    const alarms = await watch({ topicArn: undefined });
    assert.deepEqual(alarms["main-disk-root"]?.alarmActions, []);
  });

  it("see credits run out, of machines that have any", async () => {
    assert.equal((await watch())["main-cpu-credits"]?.comparisonOperator, "LessThanOrEqualToThreshold");
    const labels = hostAlarms({ ...args, burstable: false }).map(({ label }) => label);
    assert.deepEqual(
      labels.filter((label) => label.startsWith("cpu")),
      [],
    );
  });
});

describe("the topic of alarms", () => {
  it("takes what the account's alarms send alone, and writes to each address", async () => {
    const { registered } = await register((parent) =>
      alarmTopic(parent, { region: "eu-central-1", stack: "prod", emails: ["a@example.com", "b@example.com"] }),
    );
    assert.deepEqual(
      registered
        .ofType("aws:sns/topicSubscription:TopicSubscription")
        .map(({ inputs }) => [inputs.protocol, inputs.endpoint]),
      [
        ["email", "a@example.com"],
        ["email", "b@example.com"],
      ],
    );
    const topic = "arn:aws:sns:eu-central-1:123456789012:homeport-prod-alarms";
    assert.deepEqual(registered.policy("alarms-eu-central-1-policy").Statement, [
      {
        Sid: "Alarms",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: "sns:Publish",
        Resource: topic,
        Condition: {
          ArnLike: { "aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:*" },
          StringEquals: { "aws:SourceAccount": "123456789012" },
        },
      },
    ]);
  });
});

describe("log groups", () => {
  it("keep an app's lines for the days that the stack says, a live stack's for good measure", async () => {
    const groups = { apps: ["catscan"], stack: "prod", region: "eu-central-1", days: 30, live: true };
    const { made, registered } = await register((parent) => logGroups(parent, groups));
    assert.deepEqual(Object.keys(made), ["catscan"]);
    const type = "aws:cloudwatch/logGroup:LogGroup";
    const { name, retentionInDays } = registered.inputs(type);
    assert.deepEqual([name, retentionInDays], ["/homeport/prod/catscan", 30]);
    assert.equal(registered.options(type, "catscan-logs")?.protect, true);
  });
});

describe("the budget", () => {
  it("writes at 80 % of the month's money, and when more than all of it is foreseen", async () => {
    const { registered } = await register((parent) => {
      monthlyBudget(parent, { stack: "prod", usd: 50, emails: ["ops@example.com"] });
    });
    const { limitAmount, limitUnit, timeUnit, notifications } = registered.inputs("aws:budgets/budget:Budget");
    assert.deepEqual([limitAmount, limitUnit, timeUnit], ["50", "USD", "MONTHLY"]);
    assert.deepEqual(
      (notifications as Record<string, unknown>[]).map((one) => [
        one.notificationType,
        one.threshold,
        one.subscriberEmailAddresses,
      ]),
      [
        ["ACTUAL", 80, ["ops@example.com"]],
        ["FORECASTED", 100, ["ops@example.com"]],
      ],
    );
  });
});

describe("the settings of watching", () => {
  const { alarmEmails, budget, logDays, github } = watchingSettings;

  it("take what AWS and GitHub take", () => {
    assert.deepEqual(alarmEmails.parse('["ops@example.com"]'), ["ops@example.com"]);
    assert.equal(budget.parse("49.5"), 49.5);
    assert.equal(logDays.parse("90"), 90);
    assert.deepEqual(github.parse('{"repository":"example/homeport","environment":"live"}'), {
      repository: "example/homeport",
      environment: "live",
    });
  });

  it("refuse the rest, and say what would be right", () => {
    assert.throws(() => alarmEmails.parse('["ops"]'), /isn't an address/);
    assert.throws(() => budget.parse("0"), /from 1 up/);
    assert.throws(() => budget.parse(" "), /from 1 up/);
    assert.throws(() => logDays.parse("31"), /60 is the nearest/);
    assert.throws(() => logDays.parse("99999"), /3288 is the nearest/);
    assert.throws(() => github.parse('{"repository":"https://github.com/a/b"}'), /isn't a repository/);
    assert.throws(() => github.parse('{"provider":"arn:aws:iam::1:role/x"}'), /isn't the ARN of GitHub's provider/);
    assert.throws(() => github.parse('{"secretsKey":"alias/x"}'), /isn't the ARN of a key/);
  });
});
