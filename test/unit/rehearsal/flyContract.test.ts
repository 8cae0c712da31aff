import assert from "node:assert/strict";
import fc from "fast-check";
import { misfits, type Contract, type Schema } from "../../../rehearsal/platform/contract";
import { handlers } from "../../../rehearsal/fly/operations";
import { contract } from "../../../rehearsal/fly/server";
import { type Bench, openBench } from "./flySupport";

describe("the emulator of Fly.io, by its contract", () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.app("web");
  });
  after(() => bench.close());

  it("answers every operation of the contract, and no other", () => {
    const ids = contract.operations.map((operation) => operation.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(Object.keys(handlers).sort(), ids.sort());
  });

  it("refuses unknown fields, wrong types and missing ones, each with its place", async () => {
    const image = "registry.fly.io/web:1";
    const refused: [unknown, RegExp][] = [
      [{ config: { image, autodestroy: true } }, /config\.autodestroy is unknown/],
      [{ config: { image, guest: { cpus: "1" } } }, /config\.guest\.cpus is to be integer, not string/],
      [{ config: { image, services: [{ protocol: "tcp" }] } }, /config\.services\[0\]\.internal_port is missing/],
      [{ config: { image, env: { PORT: 8080 } } }, /config\.env\.PORT is to be string/],
      [{ config: { image, restart: { policy: "never" } } }, /policy is to be one of no, always, on-failure/],
      [{ config: { image, schedule: "0 8 * * *" } }, /config\.schedule is to be one of hourly/],
      [{ config: { image, checks: { up: { type: "http", interval: "15 s" } } } }, /interval is to match/],
      [{ region: "iad" }, /config is missing/],
      [undefined, /the body is missing/],
    ];
    for (const [body, expected] of refused) {
      const got = await bench.call("POST", "/apps/web/machines", body);
      assert.equal(got.status, 400, JSON.stringify(body));
      assert.match(got.body.error, expected);
      assert.equal(got.body.status, "unknown");
    }
    assert.deepEqual((await bench.call("GET", "/apps/web/machines")).body, []);
  });

  it("knows queries, paths and methods", async () => {
    assert.match((await bench.call("GET", "/apps/web/machines?states=started")).body.error, /states is unknown/);
    assert.match(
      (await bench.call("GET", "/apps/web/machines/1/wait?timeout=1m")).body.error,
      /timeout is to be integer/,
    );
    assert.deepEqual((await bench.call("GET", "/apps/web/machines?metadata.any=1")).body, []);
    assert.equal((await bench.call("GET", "/apps/web/machine")).status, 404);
    assert.equal((await bench.call("PATCH", "/apps/web/machines")).status, 405);
    assert.equal((await bench.call("POST", "/apps/web/machines/1/start", { region: "iad" })).status, 400);
  });

  it("names each answer for Fly's support", async () => {
    const first = (await bench.call("GET", "/apps/web")).headers.get("fly-request-id");
    const second = (await bench.call("GET", "/nothing")).headers.get("fly-request-id");
    assert.match(first ?? "", /^[0-9A-Z]{26}-/);
    assert.notEqual(first, second);
  });

  it("takes any value that has a schema's form, and none with one more field", () => {
    const schema: Schema = {
      type: "object",
      required: ["a"],
      properties: { a: { type: "integer" }, b: { type: "array", items: { type: "string", nullable: true } } },
    };
    const empty: Contract = { operations: [], schemas: {} };
    const fitting = fc.record({ a: fc.integer(), b: fc.array(fc.option(fc.string())) }, { requiredKeys: ["a"] });
    fc.assert(
      fc.property(
        fitting,
        fc.string().filter((name) => !["a", "b", "__proto__"].includes(name)),
        (value, name) => {
          assert.deepEqual(misfits(empty, schema, value), []);
          assert.equal(misfits(empty, schema, { ...value, [name]: 1 }).length, 1);
          assert.equal(misfits(empty, schema, { ...value, a: 0.5 }).length, 1);
          assert.equal(misfits(empty, schema, { b: value.b ?? [] }).length, 1);
        },
      ),
      { examples: [[{ a: 0 }, "toString"]] },
    );
  });
});
