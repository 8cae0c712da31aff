import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { placedApp } from "../../../cli/find";
import { placeApps } from "../../../cli/placed";
import type { StackConfig } from "../../../components/settings";
import type { ObjectAccess } from "../../../drivers/s3/objects";
import { targets } from "../../../targets";
import type { KnownArchive } from "../../../targets/operations";
import { hostKey } from "../../support/config";
import { liveConfig } from "./ec2Config";

const outputs = {
  hosts: {
    catscan: {
      ...{ instanceId: "i-0123456789abcdef0", region: "eu-central-1", user: "ec2-user", hostKey },
      ...{ address: "192.0.2.20", publicAddress: "192.0.2.20", privateKey: "marker-private" },
    },
  },
};

describe("an archive on EC2", () => {
  const access = async (more: Record<string, string>, known: Partial<KnownArchive> = {}): Promise<ObjectAccess> => {
    const base = liveConfig();
    const aws = Object.entries(more).map(
      ([key, value]) => [key, { value, secret: /secretKey|token/.test(key) }] as const,
    );
    const config: StackConfig = { ...base, entries: new Map([...base.entries, ...aws]) };
    const catscan = placeApps(apps, targets, config).apps.find(({ declaration }) => declaration.name === "catscan");
    assert.ok(catscan !== undefined);
    const app = placedApp(catscan, "prod");
    const operations = await app.target.operate(app, config, () => Promise.resolve(outputs));
    const read = await operations.archive?.({ name: "archive", bucket: "b-1", ...known });
    assert.ok(read !== undefined);
    return read;
  };

  it("is read with this machine's own credentials, in the bucket's region", async () => {
    const { key, profile, ...rest } = await access({});
    assert.deepEqual([key, profile], [undefined, undefined]);
    assert.deepEqual(rest, { bucket: "b-1", region: "eu-central-1" });
    assert.equal((await access({}, { region: "us-east-1" })).region, "us-east-1");
  });

  it("is read as the stack's own calls to AWS go: profile, temporary key, address", async () => {
    assert.equal((await access({ "aws:profile": "ops" })).profile, "ops");
    const keys = { "aws:accessKey": "ASIA", "aws:secretKey": "marker-secret", "aws:token": "marker-token" };
    assert.deepEqual((await access(keys)).key, {
      ...{ accessKeyId: "ASIA", secretAccessKey: "marker-secret", sessionToken: "marker-token" },
    });
    const endpoints = { "aws:endpoints": '[{"s3":"http://127.0.0.1:5000"}]' };
    assert.equal((await access(endpoints)).endpoint, "http://127.0.0.1:5000");
    assert.equal((await access(endpoints, { endpoint: "https://told" })).endpoint, "https://told");
  });
});
