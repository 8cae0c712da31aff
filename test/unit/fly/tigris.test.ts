import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema, parse, validate } from "graphql";
import { realWorld, type World } from "../../../drivers/http";
import { documents } from "../../../targets/fly/tigris/documents";
import { applyTigris, deleteTigris, type TigrisSpec } from "../../../targets/fly/tigris/driver";
import { openBench, type Bench } from "../rehearsal/flySupport";
import { resolveOnFly } from "./plans";

const io = { progress: () => undefined, signal: new AbortController().signal };
/** Waits pass in a twentieth of their time. */
const world: World = { ...realWorld, sleep: (ms, signal) => realWorld.sleep(ms / 20, signal) };
const agree = `mutation { createExtensionTosAgreement(input: { addOnProviderName: "tigris" }) { clientMutationId } }`;

describe("the GraphQL that Fly is asked", () => {
  it("is what its schema has", () => {
    const schema = buildSchema(readFileSync(join(__dirname, "../../../rehearsal/fly/contract/schema.graphql"), "utf8"));
    for (const [name, document] of Object.entries(documents)) {
      assert.deepEqual(validate(schema, parse(document)).map(String), [], name);
    }
  });
});

describe("buckets of Tigris on Fly", () => {
  let bench: Bench;
  let spec: TigrisSpec;

  beforeEach(async () => {
    bench = await openBench();
    const { endpoint, token } = bench.fly;
    const connection = { machinesUrl: endpoint, apiUrl: endpoint, org: "personal", token };
    spec = { connection, name: "hotrod-prod-backups-1a2b3c4d", onDelete: "delete" };
  });
  afterEach(() => bench.close());

  const apply = (before = {}) => applyTigris(spec, before, io, world);
  const there = async (): Promise<number> => {
    const { data } = await bench.graphql(`{ addOns(type: tigris) { nodes { name } } }`);
    return (data as { addOns: { nodes: unknown[] } }).addOns.nodes.length;
  };

  it("are made once a person has agreed to the terms, which a program doesn't do", async () => {
    await assert.rejects(apply(), (error: Error) => {
      assert.match(error.message, /agree to Tigris's terms: fly storage create/);
      return true;
    });
    await bench.graphql(agree);
    const made = await apply();
    assert.equal(made.bucket, spec.name);
    assert.match(made.endpoint, /^https:/);
    assert.deepEqual(await apply(made), made);
    assert.equal(await there(), 1);
  });

  it("are made again where a run was cut off before it had the key: nothing can be in them", async () => {
    await bench.graphql(agree);
    const lost = await apply();
    const made = await apply();
    assert.notEqual(made.secretAccessKey, lost.secretAccessKey);
    assert.equal(await there(), 1);
  });

  it("are left alone where they aren't new and the state has lost their key: backups may be in them", async () => {
    await bench.graphql(agree);
    await apply();
    const [addOn] = Object.values(bench.fly.world.state.addOns);
    Object.assign(addOn!, { createdAt: Date.now() - 3_600_000 });
    await assert.rejects(apply(), (error: Error) => {
      assert.match(
        error.message,
        /no key for it[\s\S]*fly storage destroy hotrod-prod-backups-1a2b3c4d, then pulumi up/,
      );
      return true;
    });
    assert.equal(await there(), 1);
  });

  it("aren't doubled by an answer that was lost", async () => {
    await bench.graphql(agree);
    await bench.control("POST", "faults", { kind: "lost", path: "^/graphql", after: 2 });
    const made = await apply();
    assert.deepEqual(await bench.control("GET", "faults"), []);
    assert.ok(made.secretAccessKey !== "");
    assert.equal(await there(), 1);
  });

  it("go when a dev app goes, and stay in live", async () => {
    await bench.graphql(agree);
    await apply();
    await deleteTigris({ ...spec, onDelete: "keep" }, io, world);
    assert.equal(await there(), 1);
    await deleteTigris(spec, io, world);
    await deleteTigris(spec, io, world);
    assert.equal(await there(), 0);
  });

  it("need no key of S3, and none of the ages that Homeport doesn't set up there", async () => {
    const without = { "s3:accessKeyId": undefined, "s3:secretAccessKey": undefined };
    assert.notDeepEqual((await resolveOnFly(without)).problems, []);
    assert.deepEqual((await resolveOnFly({ ...without, "fly:objectStore": "tigris" })).problems, []);
  });
});
