import assert from "node:assert/strict";
import { stackAccess } from "../../../cli/archiveOpen";
import { archiveInState } from "../../../cli/archiveState";
import type { ExportedResource } from "../../../cli/recoverState";
import type { PlacedApp } from "../../../targets/operations";

const component = "urn:pulumi:prod::homeport::homeport:index:App$homeport:index:ArchiveBucket::catscan-archive";
const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "x", plaintext: JSON.stringify(value) });
const stack = (bucket: unknown, ...children: Partial<ExportedResource>[]) => ({
  deployment: {
    resources: [
      { urn: `${component}-old`, type: "homeport:index:ArchiveBucket", outputs: { bucket: "other" } },
      { urn: component, type: "homeport:index:ArchiveBucket", outputs: { bucket } },
      ...children.map((one, index) => ({
        urn: `child-${index}`,
        type: "command:local:Command",
        parent: component,
        ...one,
      })),
    ],
  },
});

describe("an archive in a stack's state", () => {
  const key = { accessKeyId: "id", secretAccessKey: "secret" };
  it("is found by what the driver of any S3 service told, also where that is secret", () => {
    const told = JSON.stringify({
      bucket: "b-1",
      region: "eu-central-1",
      endpoint: "https://s3.example.com",
      changes: [],
    });
    const known = { name: "archive", bucket: "b-1", region: "eu-central-1", endpoint: "https://s3.example.com" };
    assert.deepEqual(archiveInState(stack("b-1", { outputs: { stdout: told } }), "catscan", "archive"), known);
    const hidden = stack(secret("b-1"), { outputs: { stdout: secret(told) } });
    assert.deepEqual(archiveInState(hidden, "catscan", "archive"), known);
  });

  it("is found by the provider's bucket, and by Tigris' answer with its key", () => {
    const aws = { type: "aws:s3/bucket:Bucket", outputs: { bucket: "b-2", region: "us-east-1" } };
    assert.deepEqual(archiveInState(stack("b-2", aws), "catscan", "archive"), {
      ...{ name: "archive", bucket: "b-2", region: "us-east-1" },
    });
    const stdout = secret(JSON.stringify({ bucket: "b-3", region: "auto", endpoint: "https://t3", ...key }));
    assert.deepEqual(archiveInState(stack(secret("b-3"), { outputs: { stdout } }), "catscan", "archive"), {
      ...{ name: "archive", bucket: "b-3", region: "auto", endpoint: "https://t3", key },
    });
  });

  it("isn't there before a deploy, and isn't another app's or one that is to be deleted", () => {
    assert.equal(archiveInState({}, "catscan", "archive"), undefined);
    assert.equal(archiveInState(stack("b"), "scan", "archive"), undefined);
    const gone = {
      deployment: { resources: stack("b").deployment.resources.map((one) => ({ ...one, delete: true })) },
    };
    assert.equal(archiveInState(gone, "catscan", "archive"), undefined);
    // What another bucket's command told isn't this one's.
    const other = { outputs: { stdout: JSON.stringify({ bucket: "x", region: "r" }) } };
    assert.deepEqual(archiveInState(stack("b", other), "catscan", "archive"), { name: "archive", bucket: "b" });
  });

  it("is read with its own key, else the app's, else the stack's", () => {
    const entries = new Map(
      Object.entries({ "s3:accessKeyId": "stack", "s3:secretAccessKey": "stack's", "s3:endpoint": "https://now" }).map(
        ([name, value]) => [name, { value, secret: name.startsWith("s3:secret") }],
      ),
    );
    const config = { stack: "prod", entries };
    const app = (settings: object): PlacedApp => ({ settings }) as PlacedApp;
    const known = { name: "archive", bucket: "b", region: "r", endpoint: "https://then" };
    const read = (one: object, settings: object) => stackAccess({ ...known, ...one }, app(settings), config);
    assert.deepEqual(read({ key }, {}).key, key);
    assert.deepEqual(read({}, { accessKeyId: "app", secretAccessKey: "app's" }).key, {
      ...{ accessKeyId: "app", secretAccessKey: "app's" },
    });
    assert.deepEqual(read({}, {}), {
      ...{ bucket: "b", region: "r", endpoint: "https://then" },
      key: { accessKeyId: "stack", secretAccessKey: "stack's" },
    });
  });
});
