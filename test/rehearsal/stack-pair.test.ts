import { Sink } from "./support/http";
import { backupTests } from "./support/pair/backups";
import { jobTests } from "./support/pair/jobs";
import { neighbourTests } from "./support/pair/neighbours";
import { ports, type Pair } from "./support/pair/pair";
import { progress, World } from "./support/world";

describe("catscan and hotrod of the live stack, and catscan of the development stack, on one host", function () {
  this.timeout(600_000);
  const pair = {} as { -readonly [K in keyof Pair]: Pair[K] };
  const opened: { close(): Promise<void> }[] = [];

  before(async () => {
    const world = await World.open({ apps: ["catscan", "hotrod"] });
    opened.push(world);
    const sink = await Sink.open(world.site.gateway);
    opened.push(sink);
    await world.stack.configure({
      "homeport:alertWebhook": { secret: `${sink.url}/alerts/path-that-is-a-secret` },
      "homeport:pingUrl": { secret: `${sink.url}/ping` },
    });
    progress("pulumi up of the live stack");
    await world.mustUp();
    const values = world.valuesFor(["catscan"], { "catscan:ports": { json: { api: ports.dev } } });
    Object.assign(pair, { world, sink, dev: await world.openStack("dev", values) });
  });
  after(async () => {
    for (const one of opened.reverse()) await one.close();
  });

  describe("as neighbours", () => {
    neighbourTests(pair);
  });
  describe("jobs", () => {
    jobTests(pair);
  });
  describe("backups", () => {
    backupTests(pair);
  });
});
