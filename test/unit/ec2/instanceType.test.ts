import assert from "node:assert/strict";
import { partitionOf } from "../../../targets/ec2/awsConfig";
import { images } from "../../../targets/ec2/images";
import { parseInstanceType } from "../../../targets/ec2/instanceType";
import { cronExpression } from "../../../targets/ec2/schedule";

describe("an instance type", () => {
  // https://aws.amazon.com/ec2/instance-types/
  const known: [string, "x86_64" | "arm64", boolean, string | undefined][] = [
    ["t2.nano", "x86_64", true, "512 MiB"],
    ["t3.micro", "x86_64", true, "1 GiB"],
    ["t3a.small", "x86_64", true, "2 GiB"],
    ["t4g.medium", "arm64", true, "4 GiB"],
    ["t3.xlarge", "x86_64", true, "16 GiB"],
    ["t3.2xlarge", "x86_64", true, "32 GiB"],
    ["m5.large", "x86_64", false, "8 GiB"],
    ["m7i-flex.xlarge", "x86_64", false, "16 GiB"],
    ["m7g.medium", "arm64", false, "4 GiB"],
    ["m7gd.4xlarge", "arm64", false, "64 GiB"],
    ["c6i.large", "x86_64", false, "4 GiB"],
    ["c7gn.xlarge", "arm64", false, "8 GiB"],
    ["r6i.2xlarge", "x86_64", false, "64 GiB"],
    // Their sizes follow no rule, so nothing is said of their memory.
    ["c5n.xlarge", "x86_64", false, undefined],
    ["m3.medium", "x86_64", false, undefined],
    ["a1.large", "arm64", false, undefined],
    ["g5.xlarge", "x86_64", false, undefined],
    ["g5g.xlarge", "arm64", false, undefined],
    ["p4d.24xlarge", "x86_64", false, undefined],
    ["u-6tb1.metal", "x86_64", false, undefined],
    ["mac2-m2pro.metal", "x86_64", false, undefined],
    ["m7i.metal-24xl", "x86_64", false, undefined],
  ];
  for (const [name, architecture, burstable, memory] of known) {
    it(`${name} tells its architecture, credits and memory`, () => {
      const type = parseInstanceType(name);
      assert.deepEqual(
        [type.name, type.architecture, type.burstable, type.memory?.toString()],
        [name, architecture, burstable, memory],
      );
    });
  }

  const wrong: [string, RegExp][] = [
    ["t3.xlarg", /unknown size "xlarg"; did you mean "t3\.xlarge"\?/],
    ["t3.micr", /did you mean "t3\.micro"\?/],
    ["t3.huge", /unknown size "huge"\. Sizes are nano, micro,/],
    ["t.micro", /a family such as t3 or m7g comes before the point/],
    ["t3micro", /isn't an instance type such as t3\.micro/],
    ["", /isn't an instance type/],
    ["T3.micro", /isn't an instance type/],
    ["t3.micro ", /isn't an instance type/],
  ];
  for (const [text, pattern] of wrong) {
    it(`isn't ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseInstanceType(text), pattern);
    });
  }
});

describe("what AWS calls things", () => {
  it("names each vendor's newest image", () => {
    assert.deepEqual(
      Object.values(images).map(({ user, parameter }) => [user, parameter("x86_64"), parameter("arm64")]),
      [
        [
          "ec2-user",
          "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
          "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
        ],
        ["admin", "/aws/service/debian/release/13/latest/amd64", "/aws/service/debian/release/13/latest/arm64"],
        ["admin", "/aws/service/debian/release/12/latest/amd64", "/aws/service/debian/release/12/latest/arm64"],
        [
          "ubuntu",
          "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
          "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
        ],
      ],
    );
  });

  it("parts regions as ARNs do", () => {
    assert.deepEqual(["eu-central-1", "cn-north-1", "us-gov-west-1"].map(partitionOf), ["aws", "aws-cn", "aws-us-gov"]);
  });

  it("writes times of the day as a scheduler's cron, with one of the two kinds of days left open", () => {
    const times = { stop: "19:05", start: "07:00" };
    assert.equal(cronExpression(times, "stop"), "cron(5 19 * * ? *)");
    assert.equal(cronExpression({ ...times, days: "SAT,SUN" }, "start"), "cron(0 7 ? * SAT,SUN *)");
  });
});
