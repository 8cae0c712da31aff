import fc from "fast-check";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AwsConnection } from "../../../targets/ec2/awsConfig";
import { finders, repeatable, searchEc2 } from "../../../targets/ec2/recover";
import { sameRule } from "../../../targets/ec2/recover/machines";
import { inRegion, isNewEnough, tagFilters, wantedOf, type Wanted } from "../../../targets/ec2/recover/wanted";

const aws: AwsConnection = { region: "eu-central-1", endpoints: {} };
const wanted = (inputs: Readonly<Record<string, unknown>>, since?: Date): Wanted =>
  wantedOf({ urn: "u", type: "t", name: "n", inputs, ...(since === undefined ? {} : { since }) }, aws);

const target = join(__dirname, "../../../targets/ec2");

/** Tokens of the types of AWS that the target's files make, read from their text. */
function declaredTypes(): string[] {
  const tokens = new Set<string>();
  for (const path of readdirSync(target, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts")) continue;
    const text = readFileSync(join(target, path), "utf8");
    for (const [, names = "", module = ""] of text.matchAll(/^import (.+) from "(@pulumi\/aws[^"]*)";$/gm)) {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- which module, only the text says
      const exported = require(module) as Readonly<Record<string, { readonly __pulumiType?: string }>>;
      const space = /^\* as (\w+)$/.exec(names)?.[1];
      const made =
        space === undefined
          ? names
              .replace(/[{}]/g, "")
              .split(",")
              .map((name) => name.trim().split(" as "))
          : [...text.matchAll(new RegExp(`new ${space}\\.(\\w+)\\(`, "g"))].map(([, name = ""]) => [name]);
      for (const [name = "", local = name] of made) {
        const token = exported[name]?.__pulumiType;
        if (token !== undefined && (space !== undefined || text.includes(`new ${local}(`))) tokens.add(token);
      }
    }
  }
  return [...tokens].sort();
}

describe("what a killed run was making on AWS", () => {
  it("is looked for, or made again, whatever of the declared types it is", function () {
    this.timeout(20_000);
    assert.deepEqual([...Object.keys(finders), ...repeatable].sort(), declaredTypes());
  });

  it("isn't this target's where it declares no such type", async () => {
    const creation = { urn: "u", name: "n", inputs: {} };
    assert.equal(await searchEc2({ ...creation, type: "aws:lambda/function:Function" }, aws), undefined);
    assert.equal(await searchEc2({ ...creation, type: "toString" }, aws), undefined);
    const policy = { ...creation, type: "aws:iam/rolePolicy:RolePolicy" };
    assert.deepEqual(await searchEc2(policy, aws), { kind: "repeatable" });
  });

  it("is told by tags that are known, in the region of the resource", () => {
    const one = wanted({ region: "us-east-1", tags: { "homeport:stack": "prod", other: { secret: true } } });
    assert.deepEqual(tagFilters(one), [{ Name: "tag:homeport:stack", Values: ["prod"] }]);
    assert.deepEqual(inRegion("vol-1", one), { importId: "vol-1@us-east-1" });
    assert.deepEqual(inRegion("vol-1", wanted({})), {});
    assert.deepEqual(tagFilters(wanted({ tags: null })), []);
  });

  it("isn't older than what it depends on; AWS leaves the parts of a second out", () => {
    const since = new Date("2025-03-01T08:00:00.900Z");
    const isNew = (time: string) => isNewEnough(wanted({}, since), new Date(time));
    assert.deepEqual(
      ["07:59:59", "08:00:00", "08:00:01"].map((time) => isNew(`2025-03-01T${time}Z`)),
      [false, true, true],
    );
    assert.ok(isNewEnough(wanted({}), new Date(0)));
  });
});

describe("a rule of a security group", () => {
  const sources = fc.constantFrom(
    { cidrIpv4: "192.0.2.0/24" },
    { cidrIpv4: "0.0.0.0/0" },
    { cidrIpv6: "::/0" },
    { referencedSecurityGroupId: "sg-1" },
  );
  const ports = fc.constantFrom<Record<string, unknown>>(
    { ipProtocol: "-1" },
    { ipProtocol: "tcp", fromPort: 22, toPort: 22 },
    { ipProtocol: "tcp", fromPort: 22, toPort: 80 },
    { ipProtocol: "udp", fromPort: 22, toPort: 22 },
  );
  const rules = fc.record({ source: sources, port: ports });
  type Rule = typeof rules extends fc.Arbitrary<infer T> ? T : never;

  const inputsOf = ({ source, port }: Rule) => ({ ...source, ...port });
  /** As EC2 tells of it. */
  const toldOf = ({ source, port }: Rule) => {
    const { cidrIpv4, cidrIpv6, referencedSecurityGroupId } = source as Record<string, string | undefined>;
    return {
      IpProtocol: String(port["ipProtocol"]),
      FromPort: Number(port["fromPort"] ?? -1),
      ToPort: Number(port["toPort"] ?? -1),
      ...(cidrIpv4 === undefined ? {} : { CidrIpv4: cidrIpv4 }),
      ...(cidrIpv6 === undefined ? {} : { CidrIpv6: cidrIpv6 }),
      ...(referencedSecurityGroupId === undefined
        ? {}
        : { ReferencedGroupInfo: { GroupId: referencedSecurityGroupId } }),
    };
  };

  it("is the wanted one exactly where it lets the same through", () => {
    fc.assert(
      fc.property(rules, rules, (a, b) => {
        const same = JSON.stringify(inputsOf(a)) === JSON.stringify(inputsOf(b));
        assert.equal(sameRule({ inputs: inputsOf(a) }, toldOf(b)), same);
      }),
    );
  });
});
