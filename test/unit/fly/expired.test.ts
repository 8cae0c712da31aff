import assert from "node:assert/strict";
import { fly } from "../../../targets/fly/driver";
import { openBench, type Bench } from "../rehearsal/flySupport";

describe("what is deleted on Fly after its token has expired", () => {
  let bench: Bench;
  const io = { progress: () => undefined, signal: new AbortController().signal, project: process.cwd() };
  beforeEach(async () => {
    bench = await openBench();
  });
  afterEach(async () => {
    delete process.env.HOMEPORT_FLY_TOKEN;
    await bench.close();
  });

  it("is deleted with the environment's token, which the refusal tells of", async () => {
    const { endpoint, token } = bench.fly;
    const connection = { machinesUrl: endpoint, apiUrl: endpoint, org: "personal", token };
    const spec = { connection, id: "shop-prod", name: "shop-prod", others: [] };
    const app = { ...spec, pepper: "", apps: [], postgres: [], propagationSeconds: 0, onDelete: "keep data" };
    const bucket = { connection, name: "shop-prod-backups-1", onDelete: "delete" };
    await fly.claim.apply(spec, io);
    const expired = { ...connection, token: "FlyV1 fm2_expired" };
    const [name] = ["shop-prod"];
    for (const [kind, given] of [
      ["claim", spec],
      ["app", { ...app, apps: [{ name, region: "fra", ips: [], groups: [], secrets: {}, domains: [] }] }],
      ["tigris", bucket],
    ] as const) {
      await assert.rejects(fly[kind].delete({ ...given, connection: expired }, io), (error: Error) => {
        assert.match(error.message, /HOMEPORT_FLY_TOKEN="\$\(fly tokens create org\)" pulumi up/, kind);
        return true;
      });
    }
    process.env.HOMEPORT_FLY_TOKEN = token;
    await fly.claim.delete({ ...spec, connection: expired }, io);
    assert.equal((await bench.call("GET", "/apps/shop-prod")).status, 404);
  });
});
