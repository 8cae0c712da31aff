import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { apps } from "../../../apps";
import { placeApps } from "../../../cli/placed";
import { placedApp } from "../../../cli/find";
import type { StackConfig } from "../../../components/settings";
import { DriverError } from "../../../drivers/error";
import { targets } from "../../../targets";
import { movedFinding, stateFinding } from "../../../targets/ec2/operate";
import type { Operations } from "../../../targets/operations";
import { hostKey } from "../../support/config";
import { liveConfig } from "./ec2Config";

/** As `pulumi stack output --json --show-secrets` tells of the target; nothing answers at the address. */
const deployed = (more: object = {}) => ({
  hosts: {
    catscan: {
      instanceId: "i-0123456789abcdef0",
      region: "eu-central-1",
      address: "192.0.2.20",
      publicAddress: "192.0.2.20",
      user: "ec2-user",
      hostKey,
      privateKey: "marker-private",
      ...more,
    },
  },
});

describe("day-two work on EC2", () => {
  const operate = (outputs: unknown, config: StackConfig = liveConfig()): Promise<Operations> => {
    const { apps: placed } = placeApps(apps, targets, config);
    const catscan = placed.find(({ declaration }) => declaration.name === "catscan");
    assert.ok(catscan !== undefined);
    const app = placedApp(catscan, "prod");
    return app.target.operate(app, config, () => Promise.resolve(outputs));
  };
  const refusal = async (run: Promise<unknown>): Promise<string> => {
    const error: unknown = await run.then(
      () => undefined,
      (one: unknown) => one,
    );
    assert.ok(error instanceof DriverError, String(error));
    return error.message;
  };

  it("goes where the deployed stack says", async () => {
    assert.equal((await operate(deployed())).place, "catscan (192.0.2.20)");
  });

  for (const [what, outputs] of [
    ["the stack was never deployed", undefined],
    ["the stack has nothing on EC2 yet", {}],
    ["the instance is a new one", { hosts: { other: deployed().hosts.catscan } }],
  ] as const) {
    it(`says what to do where ${what}`, async () => {
      assert.match(await refusal(operate(outputs)), /knows no instance "catscan" yet[^]*fix: pulumi up --stack prod/);
    });
  }

  it("says what lacks where the app has no instance", async () => {
    const text = await refusal(operate(deployed(), liveConfig({ "catscan:host": "catscann" })));
    assert.match(
      text,
      /There is no instance "catscann"; did you mean "catscan"\?[^]*fix: pulumi config set catscan:host/,
    );
  });

  describe("its look at the instance", () => {
    let server: Server;
    /** `next` is the body of every answer but the first. */
    let answer: { readonly status: number; readonly body: string; readonly next?: string };
    let asked: URLSearchParams[];
    before((done) => {
      server = createServer((request, response) => {
        let body = "";
        request.on("data", (chunk) => (body += String(chunk)));
        request.on("end", () => {
          asked.push(new URLSearchParams(body));
          response
            .writeHead(answer.status, { "content-type": "text/xml" })
            .end(asked.length === 1 ? answer.body : answer.next);
        });
      }).listen(0, "127.0.0.1", done);
    });
    after((done) => {
      server.closeAllConnections();
      server.close(done);
    });

    const examine = async () => {
      asked = [];
      const { port } = server.address() as AddressInfo;
      const config = liveConfig({
        "aws:endpoints": JSON.stringify([{ ec2: `http://127.0.0.1:${port}` }]),
        "aws:accessKey": "AKIAEXAMPLE",
        "aws:secretKey": { value: "marker-secret", secret: true },
      });
      return (await operate(deployed(), config)).examine();
    };
    const state = (name: string) => ({
      status: 200,
      body:
        `<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>i-0123456789abcdef0</instanceId>` +
        `<instanceState><code>80</code><name>${name}</name></instanceState></item></instanceStatusSet>` +
        `</DescribeInstanceStatusResponse>`,
    });

    it("asks AWS, of stopped instances too, and doesn't try SSH on one that is off", async () => {
      answer = state("stopped");
      assert.deepEqual(await examine(), [
        {
          level: "problem",
          what: "i-0123456789abcdef0 in eu-central-1 is stopped",
          fix: "aws ec2 start-instances --region eu-central-1 --instance-ids i-0123456789abcdef0",
        },
      ]);
      assert.deepEqual(
        ["Action", "InstanceId.1", "IncludeAllInstances"].map((key) => asked[0]?.get(key)),
        ["DescribeInstanceStatus", "i-0123456789abcdef0", "true"],
      );
    });

    it("says that a running instance is at another address, and doesn't try SSH at the one before", async () => {
      const running = state("running").body;
      const instances =
        "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-0123456789abcdef0</instanceId>" +
        "<ipAddress>203.0.113.99</ipAddress></item></instancesSet></item></reservationSet></DescribeInstancesResponse>";
      answer = { status: 200, body: running, next: instances };
      const found = await examine();
      assert.deepEqual(
        found.map(({ level, what }) => [level, what]),
        [
          [
            "problem",
            "i-0123456789abcdef0 in eu-central-1 is at 203.0.113.99 by now, and the stack goes to 192.0.2.20",
          ],
        ],
      );
      assert.deepEqual(
        asked.map((one) => one.get("Action")),
        ["DescribeInstanceStatus", "DescribeInstances"],
      );
    });

    it("says that an instance is gone", async () => {
      answer = {
        status: 200,
        body: "<DescribeInstanceStatusResponse><instanceStatusSet/></DescribeInstanceStatusResponse>",
      };
      const [finding] = await examine();
      assert.deepEqual([finding?.level, finding?.what], ["problem", "i-0123456789abcdef0 in eu-central-1 is gone"]);
    });
  });

  describe("its look at the address", () => {
    const told = { ...deployed().hosts.catscan, name: "catscan", pinned: true, publicAddress: "54.197.8.56" };
    const fixOf = (more: object) => movedFinding({ ...told, ...more }, "203.0.113.99")?.fix;

    it("finds an instance that was stopped and started, and says what to set", () => {
      assert.deepEqual(movedFinding(told, "203.0.113.99"), {
        level: "problem",
        what: "i-0123456789abcdef0 in eu-central-1 is at 203.0.113.99 by now, and the stack goes to 54.197.8.56",
        fix:
          "pulumi config set --path ec2:instances.catscan.address 203.0.113.99 && pulumi up; " +
          "an Elastic IP would stay through stops and starts",
      });
      assert.match(fixOf({ pinned: false }) ?? "", /^pulumi up;/);
      // Session Manager still leads there.
      assert.equal(movedFinding({ ...told, address: told.instanceId }, "203.0.113.99")?.level, "warning");
    });

    it("finds nothing where it is where it was, and where AWS can't know", () => {
      assert.equal(movedFinding(told, told.publicAddress), undefined);
      assert.equal(movedFinding(told, undefined), undefined);
      for (const publicAddress of ["shop.example.com", "10.1.2.3", "172.31.0.9", "127.0.0.1", "2001:db8::7"])
        assert.equal(movedFinding({ ...told, publicAddress }, "203.0.113.99"), undefined, publicAddress);
    });
  });

  it("tells what AWS's words mean", () => {
    const levelOf = (state: string | undefined, ...checks: string[]) =>
      stateFinding("i-1", "eu-west-1", state, checks).level;
    assert.deepEqual(
      [
        levelOf("running", "ok", "ok"),
        levelOf("running", "initializing"),
        levelOf("running", "ok", "impaired"),
        levelOf("pending"),
        levelOf("terminated"),
        levelOf(undefined),
      ],
      ["ok", "ok", "warning", "problem", "problem", "problem"],
    );
  });
});
