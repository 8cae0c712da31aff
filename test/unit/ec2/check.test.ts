import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import { app, cron, Duration, folder, python, Size, Volume } from "../../../components";
import { resolveStack } from "../../../components/resolveStack";
import type { StackConfig } from "../../../components/settings";
import { targets } from "../../../targets";
import { liveConfig, withInstances } from "./ec2Config";

const cwd = resolve(__dirname, "../../..");

async function problemsOf(config: StackConfig, more: Parameters<typeof app>[] = []) {
  const { problems } = await resolveStack({
    apps: [...apps, ...more.map((args) => app(...args))],
    targets,
    config,
    cwd,
  });
  return problems;
}

describe("the checks of EC2", () => {
  it("find nothing in the prod stack as its runbooks have it", async () => {
    assert.deepEqual(await problemsOf(liveConfig()), []);
  });

  const single: [string, StackConfig, string, RegExp, RegExp][] = [
    [
      "no instance at all",
      liveConfig({ "homeport:apps": '["catscan"]', "ec2:instances": undefined }),
      "ec2:instances",
      /No instance is configured/,
      /ec2:instances\.catscan\.type t3\.micro .*ec2:instances\.catscan\.id i-/,
    ],
    [
      "the name of no instance",
      liveConfig({ "catscan:host": "catscann" }),
      "catscan:host",
      /no instance "catscann"; did you mean "catscan"\?/,
      /pulumi config set catscan:host catscan /,
    ],
    [
      "several instances of which none is the app's",
      withInstances(
        { others: { a: { type: "t3.small", sshFrom: ["203.0.113.7"] } } },
        {
          "homeport:apps": '["clausea"]',
          "clausea:target": "ec2",
        },
      ),
      "clausea:host",
      /several instances/,
      /pulumi config set clausea:host shopifly \(shopifly, catscan or a\)/,
    ],
    [
      "a misspelt size",
      withInstances({ catscan: { type: "t3.xlarg" } }, { "homeport:apps": '["shopifly"]' }),
      "ec2:instances",
      /catscan: type: "t3\.xlarg" has the unknown size "xlarg"; did you mean "t3\.xlarge"\?/,
      /in Pulumi\.prod\.yaml, or by pulumi config set --path ec2:instances\.<name>/,
    ],
    [
      "a type that is none",
      withInstances({ catscan: { type: "micro" } }, { "homeport:apps": '["shopifly"]' }),
      "ec2:instances",
      /"micro" isn't an instance type such as t3\.micro/,
      /./,
    ],
    [
      "a new instance without a type",
      withInstances({ catscan: { type: null } }),
      "ec2:instances.catscan.type",
      /has no type/,
      /ec2:instances\.catscan\.type t3\.micro/,
    ],
    [
      "an adopted instance without its host key",
      withInstances({ shopifly: { hostKey: null } }),
      "ec2:instances.shopifly.hostKey",
      /public key isn't known/,
      /ssh-keyscan -t ed25519 54\.197\.8\.56/,
    ],
    [
      "a host key of another form",
      withInstances({ shopifly: { hostKey: "SHA256:abc" } }),
      "ec2:instances.shopifly.hostKey",
      /isn't a public key/,
      /ssh-keyscan/,
    ],
    [
      "an adopted instance whose app keeps an archive, without a role or a key",
      liveConfig({ "s3:accessKeyId": undefined, "s3:secretAccessKey": undefined }),
      "ec2:instances.shopifly.role",
      /shopifly keeps an archive/,
      /ec2:instances\.shopifly\.role ROLE.*pulumi config set --secret s3:secretAccessKey/,
    ],
    [
      "an adopted instance that is to be made otherwise",
      withInstances({ shopifly: { rootSize: "150 GiB" } }),
      "ec2:instances.shopifly.rootSize",
      /this one exists/,
      /pulumi config rm --path ec2:instances\.shopifly\.rootSize/,
    ],
    [
      "an address for a new instance",
      withInstances({ catscan: { address: "198.51.100.1" } }),
      "ec2:instances.catscan.address",
      /for an adopted instance/,
      /pulumi config rm --path ec2:instances\.catscan\.address/,
    ],
    [
      "SSH open to all",
      withInstances({ catscan: { sshFrom: ["0.0.0.0/0"] } }),
      "ec2:instances.catscan.sshFrom",
      /0\.0\.0\.0\/0 would open SSH to everyone/,
      /checkip\.amazonaws\.com.*ec2:session true/,
    ],
    [
      "SSH open to all of IPv6",
      withInstances({ catscan: { sshFrom: ["203.0.113.7/32", "::/0"] } }),
      "ec2:instances.catscan.sshFrom",
      /::\/0 would open SSH/,
      /./,
    ],
    [
      "SSH open to all by the stack's own list",
      withInstances({ catscan: { sshFrom: null } }, { "ec2:sshFrom": '["0.0.0.0/1"]' }),
      "ec2:sshFrom",
      /0\.0\.0\.0\/1 would open SSH/,
      /./,
    ],
    [
      "SSH open to nobody",
      withInstances({ catscan: { sshFrom: null } }),
      "ec2:sshFrom",
      /Nobody may open SSH/,
      /pulumi config set --path 'ec2:sshFrom\[0\]'/,
    ],
    [
      "a zone of another region",
      withInstances({ catscan: { zone: "us-east-1a" } }),
      "ec2:instances.catscan.zone",
      /"us-east-1a" is no zone of the region eu-central-1/,
      /zone eu-central-1a, or .*region us-east-1/,
    ],
    [
      "less memory than the apps ask for",
      withInstances({ catscan: { type: "t3.nano" } }),
      "ec2:instances.catscan.type",
      /t3\.nano has 512 MiB of memory, and its apps ask for 768 MiB \(catscan 768 MiB\)/,
      /larger type/,
    ],
    [
      "a type that is told of an adopted instance and too small",
      withInstances({ shopifly: { type: "t3.large" } }, { "shopifly:memory": '{"dashboard":"12 GiB"}' }),
      "ec2:instances.shopifly.type",
      /t3\.large has 8 GiB of memory, and its apps ask for 12 GiB/,
      /./,
    ],
    [
      "a disk smaller than the declared volumes",
      withInstances({ catscan: { dataSize: "20 GiB" } }),
      "ec2:instances.catscan.dataSize",
      /meant to need 30 GiB, and the disk would have 20 GiB/,
      /dataSize '30 GiB'/,
    ],
    [
      "a disk too small for the system",
      withInstances({ catscan: { rootSize: "4 GiB" } }),
      "ec2:instances.catscan.rootSize",
      /need a disk of 8 GiB/,
      /./,
    ],
    [
      "a disk larger than AWS sells",
      withInstances({ catscan: { dataSize: "65 TiB" } }),
      "ec2:instances.catscan.dataSize",
      /at most 64 TiB/,
      /./,
    ],
    [
      "a size in units that mean two things",
      withInstances({ catscan: { dataSize: "30 GB" } }, { "homeport:apps": '["shopifly"]' }),
      "ec2:instances",
      /catscan: dataSize: .*write 30 GiB/,
      /./,
    ],
    [
      "a size besides a disk that exists",
      withInstances({ catscan: { volume: "vol-0123456789abcdef0", dataSize: "40 GiB" } }),
      "ec2:instances.catscan.dataSize",
      /the disk exists/,
      /aws ec2 modify-volume/,
    ],
    [
      "one instance under two names",
      withInstances({ catscan: { ...withoutMade(), id: "i-0f05fffd1aba8db0b" } }),
      "ec2:instances.catscan.id",
      /"shopifly" and "catscan" both name i-0f05fffd1aba8db0b/,
      /pulumi config set APP:host shopifly/,
    ],
    [
      "a schedule in a live stack",
      withInstances({ catscan: { schedule: { stop: "19:00", start: "07:00" } } }),
      "ec2:instances.catscan.schedule",
      /live stack's instance would be stopped/,
      /config rm --path ec2:instances\.catscan\.schedule, or .*inLive true/,
    ],
    [
      "half a schedule",
      withInstances({ catscan: { schedule: { stop: "19:00", inLive: true } } }),
      "ec2:instances.catscan.schedule.start",
      /doesn't say when to start/,
      /schedule\.start 07:00/,
    ],
    [
      "a schedule that stops and starts at once",
      withInstances({ catscan: { schedule: { stop: "19:00", start: "19:00", inLive: true } } }),
      "ec2:instances.catscan.schedule",
      /at the same time/,
      /./,
    ],
    [
      "Session Manager on an image without its agent",
      withInstances({ catscan: { os: "debian-13" } }, { "ec2:session": "true" }),
      "ec2:instances.catscan.os",
      /no agent of Session Manager/,
      /os al2023/,
    ],
    ["no region", liveConfig({ "aws:region": undefined }), "aws:region", /in which region/, /aws:region eu-central-1/],
    [
      "a misspelt region",
      liveConfig({ "aws:region": "eu-centrl-1" }),
      "aws:region",
      /"eu-centrl-1" isn't a region/,
      /aws:region eu-central-1/,
    ],
    [
      "endpoints that are none",
      liveConfig({ "aws:endpoints": "http://127.0.0.1:5000" }),
      "aws:endpoints",
      /isn't a list of maps/,
      /./,
    ],
    [
      "an access key's secret in plain text",
      liveConfig({ "aws:accessKey": "AKIA", "aws:secretKey": { value: "x", secret: false } }),
      "aws:secretKey",
      /stored as plain text/,
      /--secret aws:secretKey/,
    ],
    [
      "an access key without its secret",
      liveConfig({ "aws:accessKey": "AKIA" }),
      "aws:secretKey",
      /without its secret/,
      /--secret aws:secretKey/,
    ],
    ["a budget that tells nobody", liveConfig({ "ec2:budget": "50" }), "ec2:budget", /nobody/, /ec2:alarmEmails/],
    [
      "workflows of no repository",
      liveConfig({ "ec2:github": '{"environment":"production"}' }),
      "ec2:github.repository",
      /no repository/,
      /ec2:github\.repository/,
    ],
    [
      "one bucket for two apps",
      liveConfig({ "shopifly:buckets": '{"backups":"rtbcat-csv-archive-frankfurt-328614522524"}' }),
      "catscan:buckets",
      /shopifly\.backups and catscan\.archive would both be kept in the bucket rtbcat-csv-archive/,
      /catscan:buckets\.archive NAME, or have one made: pulumi config rm --path catscan:buckets\.archive/,
    ],
    [
      "a name that AWS's names can't have",
      liveConfig({
        "homeport:apps": '["catscan"]',
        "ec2:instances": '{"Main_1":{"type":"t3.micro","sshFrom":["203.0.113.7"]}}',
      }),
      "ec2:instances.Main_1",
      /lower-case/,
      /rename it/,
    ],
    [
      "SSH's port for an app",
      liveConfig({ "catscan:ports": '{"api":22}' }),
      "catscan.api.port",
      /Port 22 on host "catscan" is kept for SSH/,
      /catscan:ports\.api/,
    ],
  ];
  for (const [what, config, where, pattern, fix] of single) {
    it(`refuse ${what}`, async () => {
      const problems = await problemsOf(config);
      assert.deepEqual(
        problems.map((one) => one.where),
        [where],
      );
      assert.match(problems[0]?.what ?? "", pattern);
      assert.match(problems[0]?.fix ?? "", fix);
    });
  }

  it("find ports that meet on one instance, and none on two", async () => {
    const both = (instances: object, changes = {}) =>
      liveConfig({
        "homeport:apps": '["catscan","clausea"]',
        "clausea:target": "ec2",
        "clausea:ports": '{"api":8000,"dashboard":8511}',
        "ec2:instances": JSON.stringify(instances),
        ...changes,
      });
    const instance = { type: "t3.large", sshFrom: ["203.0.113.7/32"] };
    const problems = await problemsOf(both({ main: instance }));
    assert.deepEqual(
      problems.map(({ what }) => what),
      ['catscan.api and clausea.api both ask for port 8000 on host "main".'],
    );
    assert.deepEqual(await problemsOf(both({ catscan: instance, clausea: instance })), []);
  });

  it("tell everything at once, each with the command that mends it", async () => {
    const problems = await problemsOf(
      withInstances(
        { shopifly: { hostKey: null }, catscan: { sshFrom: ["0.0.0.0/0"], zone: "eu-west-1a", dataSize: "10 GiB" } },
        { "aws:region": undefined },
      ),
    );
    assert.deepEqual(
      problems.map(({ where }) => where),
      [
        "aws:region",
        "ec2:instances.shopifly.hostKey",
        "ec2:instances.catscan.zone",
        "ec2:instances.catscan.sshFrom",
        "ec2:instances.catscan.dataSize",
      ],
    );
    for (const { fix } of problems) assert.match(fix, /pulumi config/);
  });

  it("refuse days that S3 doesn't take for an archive", async () => {
    const hasty: Parameters<typeof app> = [
      "hasty",
      "An app that would have a cold archive at once",
      (a) => {
        a.bucket("archive", { coldAfter: Duration.days(7) });
        const code = { source: folder("rehearsal/standins/catscan"), runtime: python("3.11"), command: "run" };
        a.service("worker", code);
      },
    ];
    const config = liveConfig({
      "homeport:apps": '["hasty"]',
      "hasty:target": "ec2",
      "ec2:instances": JSON.stringify({ main: { type: "t3.small", sshFrom: ["203.0.113.7/32"] } }),
    });
    assert.deepEqual(
      (await problemsOf(config, [hasty])).map(({ where }) => where),
      ["hasty.archive.coldAfter"],
    );
  });

  it("don't look at instances that no app runs on", async () => {
    assert.deepEqual(await problemsOf(withInstances({ others: { spare: { sshFrom: ["0.0.0.0/0"] } } })), []);
  });

  it("take a region for each instance in place of the stack's", async () => {
    assert.deepEqual(await problemsOf(withInstances({ catscan: { region: "eu-west-1", zone: "eu-west-1b" } })), []);
  });

  it("count volumes that services share once, and databases of the host's own", async () => {
    const code = { source: folder("rehearsal/standins/catscan"), runtime: python("3.11"), command: "run" };
    const shared = Volume.at("/data", Size.gib(100));
    const big: Parameters<typeof app> = [
      "big",
      "An app with much data",
      (a) => {
        a.database("db", { engine: "postgres", size: Size.gib(50) });
        const web = a.service("web", { ...code, volumes: [shared] });
        a.service("worker", { ...code, volumes: [shared] });
        a.job("job", { in: web, at: cron("@daily"), command: "x" });
      },
    ];
    const config = (dataSize: string) =>
      liveConfig({
        "homeport:apps": '["big"]',
        "big:target": "ec2",
        "ec2:instances": JSON.stringify({ main: { type: "m7i.large", sshFrom: ["203.0.113.7/32"], dataSize } }),
      });
    assert.match((await problemsOf(config("149 GiB"), [big]))[0]?.what ?? "", /need 150 GiB/);
    assert.deepEqual(await problemsOf(config("150 GiB"), [big]), []);
  });
});

/** Fields that make an adopted instance of catscan's. */
function withoutMade(): object {
  return { type: null, sshFrom: null, region: "us-east-1", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" };
}
