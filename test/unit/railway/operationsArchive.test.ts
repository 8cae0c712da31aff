import assert from "node:assert/strict";
import type { Run } from "../../../targets/railway/deploy/run";
import { ownBucket } from "../../../targets/railway/operationsArchive";

describe("one of Railway's own buckets", () => {
  const place = { projectId: "p", environmentId: "e" };
  const buckets = ["other", "wanted"].map((id) => ({ id, name: `name-of-${id}` }));
  const made = (bucketName: string) => ({
    ...{
      bucketName,
      region: "auto",
      endpoint: "https://storage.example",
      accessKeyId: "id",
      secretAccessKey: "secret",
    },
  });
  const run = (answers: Readonly<Record<string, readonly object[]>>, asked: unknown[] = []): Run =>
    ({
      railway: {
        ask: (_query: string, values: { bucketId: string }) => {
          asked.push(values);
          return Promise.resolve({ bucketS3Credentials: answers[values.bucketId] ?? [] });
        },
      },
      error: (what: string) => new Error(what),
    }) as unknown as Run;

  it("is read with the key that Railway tells, found by the store's name of it", async () => {
    const asked: unknown[] = [];
    const answers = { other: [made("other-x1")], wanted: [made("wanted-x2")] };
    assert.deepEqual(await ownBucket(run(answers, asked), place, buckets, "wanted-x2"), {
      ...{ bucket: "wanted-x2", region: "auto", endpoint: "https://storage.example" },
      key: { accessKeyId: "id", secretAccessKey: "secret" },
    });
    assert.deepEqual(asked.at(-1), { ...place, bucketId: "wanted" });
  });

  it("is told where it isn't there", async () => {
    const answers = { other: [made("other-x1")], wanted: [] };
    await assert.rejects(ownBucket(run(answers), place, buckets, "wanted-x2"), /The bucket wanted-x2 isn't there/);
  });
});
