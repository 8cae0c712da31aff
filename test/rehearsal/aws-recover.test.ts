import * as ec2 from "@aws-sdk/client-ec2";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, ensureEngine } from "../../engine";
import { finders } from "../../targets/ec2/recover";
import { type BareAws, startBareAws } from "./awsEmulator";
import { everything } from "./awsProgram";
import { type Outcome, TinyProgram } from "./tinyProgram";

const services = [
  ...["budgets", "cloudwatch", "dlm", "ec2", "elasticache", "iam", "logs"],
  ...["rds", "s3", "scheduler", "sns", "ssm", "sts"],
];

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
}
interface Checkpoint {
  readonly checkpoint: { latest: { resources: Resource[]; pending_operations?: { resource: object; type: string }[] } };
}

/**
 * A stack with each type of AWS that there is, whose state is made to look as if the engine had been killed while it made all of
 * them: AWS has them, and the state knows of no end of their creation.
 */
describe("homeport recover, with each type of resource of AWS", function () {
  this.timeout(300_000);
  this.bail(true);
  const home = mkdtempSync(join(tmpdir(), "homeport-recover-home-"));
  let engine: Engine;
  let aws: BareAws;
  let tiny: TinyProgram;
  let earlier: readonly Resource[];

  const run = async (...args: string[]): Promise<string> => {
    const { code, output } = await tiny.run(...args);
    assert.equal(code, 0, output);
    return output;
  };
  const homeport = (): Promise<Outcome> => tiny.homeport("recover");
  const resources = async (): Promise<Resource[]> =>
    (JSON.parse(await run("stack", "export")) as { deployment: { resources: Resource[] } }).deployment.resources.filter(
      ({ type }) => type.startsWith("aws:"),
    );

  before(async () => {
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
    [engine, aws] = await Promise.all([ensureEngine({ home }), startBareAws()]);
    // Machines are told by the name of their host, too, and declared rules by having tags.
    const tagged = everything
      .replace("const tags = {", 'const tags = { "homeport:host": "tiny",')
      .replaceAll('ipProtocol: "-1",', 'ipProtocol: "-1", tags,');
    tiny = new TinyProgram(engine, tagged);
    const endpoints = JSON.stringify([Object.fromEntries(services.map((name) => [name, aws.endpoint]))]);
    const plain = ["aws:region=us-east-1", "aws:accessKey=AKIAIOSFODNN7EXAMPLE", "aws:s3UsePathStyle=true"];
    await run("stack", "init", "dev");
    await run(
      ...["config", "set-all"],
      ...[...plain, "aws:maxRetries=3", `aws:endpoints=${endpoints}`].flatMap((one) => ["--plaintext", one]),
      ...["aws:secretKey=of-the-test", "password=Correct-horse-battery1"].flatMap((one) => ["--secret", one]),
    );
    // As in our own program, no name is left to chance.
    await run("config", "set", "--path", "pulumi:autonaming.mode", "verbatim");
    await run("up", "--yes", "--skip-preview", "--non-interactive");
  });
  after(async () => {
    await (tiny as TinyProgram | undefined)?.remove();
    await (aws as BareAws | undefined)?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const file = (): string => tiny.path("state/.pulumi/stacks/tiny/dev.json");
  /** Writes a state in which the engine was making these when it was killed. */
  const forget = (isForgotten: (one: Resource) => boolean): void => {
    const state = JSON.parse(readFileSync(file(), "utf8")) as Checkpoint;
    const { latest } = state.checkpoint;
    const pending = latest.resources.filter(isForgotten);
    latest.resources = latest.resources.filter((one) => !isForgotten(one));
    latest.pending_operations = [
      ...(latest.pending_operations ?? []),
      ...pending.map((one) => ({
        resource: { ...one, id: undefined, outputs: undefined, created: undefined },
        type: "creating",
      })),
    ];
    writeFileSync(file(), JSON.stringify(state));
  };
  /** Takes address and disk off the machine: what has just been made is given to nobody yet. */
  const unplug = async (): Promise<void> => {
    const idOf = (type: string): string => earlier.find((one) => one.type === type)?.id ?? "";
    const client = new ec2.EC2({
      endpoint: aws.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "of-the-test" },
    });
    await client.disassociateAddress({ AssociationId: idOf("aws:ec2/eipAssociation:EipAssociation") });
    await client.detachVolume({ VolumeId: idOf("aws:ebs/volume:Volume") });
    client.destroy();
  };
  const isSearched = ({ type }: Resource): boolean => Object.hasOwn(finders, type);

  it("tells what it can't look for, and changes nothing then", async () => {
    earlier = await resources();
    // Nothing declares one, so that nothing finds it; and nothing that stays depends on it once the database is forgotten, too.
    const whole = readFileSync(file());
    forget(({ type }) => type === "aws:rds/instance:Instance" || type === "aws:rds/parameterGroup:ParameterGroup");
    const { code, output } = await homeport();
    assert.equal(code, 1, output);
    assert.match(output, /^database \(.*\) is there: db-/m);
    assert.match(
      output,
      /^parameters \(.*\): Homeport doesn't declare such a thing.*\n {2}fix: pulumi refresh --stack dev /m,
    );
    assert.match(output, /^Nothing was changed\..*homeport recover --stack dev$/m);
    assert.equal((await resources()).length, earlier.length - 2);
    writeFileSync(file(), whole);
  });

  it("finds them all, and takes them in", async () => {
    await unplug();
    forget(({ type }) => type.startsWith("aws:") && type !== "aws:rds/parameterGroup:ParameterGroup");
    const { code, output } = await homeport();
    assert.equal(code, 0, output);
    const idsOf = (all: readonly Resource[]): string[] => all.filter(isSearched).map(({ type, id }) => `${type} ${id}`);
    assert.deepEqual(idsOf(await resources()).sort(), idsOf(earlier).sort());
  });

  it("keeps secrets encrypted that no platform gives back", () => {
    const state = readFileSync(file(), "utf8");
    assert.match(state, /"authToken"/);
    assert.doesNotMatch(state, /Correct-horse-battery1/);
  });

  it("has the next `up` make nothing twice, and then change nothing", async () => {
    const output = await run("up", "--yes", "--skip-preview", "--non-interactive");
    assert.doesNotMatch(output, /replaced|pending operations/);
    // The address was taken off the machine above; it is the same address on the same machine by another association.
    const idsOf = (all: readonly Resource[]): string[] =>
      all.filter(({ type }) => type !== "aws:ec2/eipAssociation:EipAssociation").map(({ urn, id }) => `${urn} ${id}`);
    assert.deepEqual(idsOf(await resources()).sort(), idsOf(earlier).sort());
    await run("preview", "--non-interactive", "--expect-no-changes");
  });
});
