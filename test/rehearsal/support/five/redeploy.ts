import assert from "node:assert/strict";
import { mainPids } from "../hostFacts";
import { eventually, factsOf } from "../http";
import { versionLoad, type Report } from "../load";
import { SocketIo } from "../socketIo";
import { progress, type World } from "../world";
import { ids, type Five } from "./five";

/** A load is right when each request was answered, first by the old version, then by the new one. */
function lostNothing(name: string, report: Report, versions: readonly string[]): void {
  const answers = [...report.answered].map(([version, count]) => `${count} by ${version}`).join(", ");
  progress(`${name}: ${report.sent} requests, ${answers}, slowest ${report.slowestMs.toFixed(0)} ms`);
  assert.deepEqual(report.failures.slice(0, 10), [], `${name}: ${report.failures.length} of ${report.sent} failed`);
  assert.deepEqual([...report.answered.keys()].sort(), [...versions].sort(), name);
}

/** The units of all apps but one, with their processes. */
async function pidsBut(world: World, app: string): Promise<[string, number][]> {
  const kept = ids.filter((id) => id !== `${app}-prod`);
  const all = await Promise.all(kept.map((id) => mainPids(world.host, id)));
  // Watchers and drains come and go.
  return all.flatMap((pids) => [...pids]).filter(([unit]) => /@\d|redis/.test(unit));
}

/** New code under load, and a new secret. @returns the client that is left on tileshop's old version */
export function redeployTests(five: Five): () => SocketIo | undefined {
  let client: SocketIo | undefined;

  it("changes catscan alone when its code changes, and loses none of 200 requests a second over kept and new connections", async () => {
    const { world } = five;
    const others = await pidsBut(world, "catscan");
    assert.ok(others.length >= 7, others.join(" "));
    world.setVersion("catscan", "2.0.0");
    const load = versionLoad(world.url(8000));
    const { counts, seconds } = await world.mustUp();
    const report = await load.end();
    assert.deepEqual(counts, { updated: 1, unchanged: five.first.counts["created"]! - 1 });
    assert.ok(report.sent > seconds * 150, `${report.sent} requests in ${seconds} s are less than 150 a second`);
    lostNothing("catscan", report, ["1.0.0", "2.0.0"]);
    assert.equal((await factsOf(world.url(8000))).version, "2.0.0");
    assert.deepEqual(await pidsBut(world, "catscan"), others);
  });

  it("redeploys hotrod's two instances and tileshop under load; a Socket.IO client stays on the old version", async () => {
    const { world } = five;
    client = await SocketIo.connect(world.host.address, 8080);
    const { events } = client;
    const ticks = (): number => events.filter((event) => event.name === "tick").length;
    await eventually("the first tick comes", 10, () => ticks() > 0);
    world.setVersion("hotrod", "2.0.0");
    world.setVersion("tileshop", "2.0.0");
    const loads = { hotrod: versionLoad(world.url(8090), 100), tileshop: versionLoad(world.url(8080), 100) };
    const { counts } = await world.mustUp();
    const reports = { hotrod: await loads.hotrod.end(), tileshop: await loads.tileshop.end() };
    assert.equal(counts["updated"], 2);
    lostNothing("hotrod", reports.hotrod, ["1.0.0", "2.0.0"]);
    lostNothing("tileshop", reports.tileshop, ["1.0.0", "2.0.0"]);
    assert.equal((await factsOf(world.url(8080))).version, "2.0.0");
    // The old version goes on for this client alone.
    const told = ticks();
    await eventually("ticks go on after the redeploy", 5, () => ticks() > told);
    client.emit("echo", "still here");
    await eventually("the old version still answers", 5, () => client?.named("echo").includes("still here") === true);
    assert.equal(client.ended, undefined);
    assert.deepEqual(client.named("draining"), []);
  });

  it("restarts hotrod alone with a changed secret: the same release, nothing built again", async () => {
    const { world } = five;
    const others = await pidsBut(world, "hotrod");
    const before = await release(world);
    const old = await mainPids(world.host, "hotrod-prod");
    const secret = "changed-secret-for-a-restart";
    await world.stack.configure({ "hotrod:OPENAI_API_KEY": { secret } });
    const { counts } = await world.mustUp();
    assert.deepEqual(counts, { updated: 1, unchanged: five.first.counts["created"]! - 1 });
    const processes = [...(await mainPids(world.host, "hotrod-prod"))].filter(([unit]) =>
      /-(web|worker)-[ab]@/.test(unit),
    );
    const changed = processes.filter(([unit]) => !old.has(unit));
    assert.ok(changed.length >= 3, `two web processes and a worker are new: ${changed.join(" ")}`);
    for (const [unit, pid] of changed) {
      const environment = await world.on(`tr '\\0' '\\n' </proc/${pid}/environ`);
      assert.ok(environment.split("\n").includes(`OPENAI_API_KEY=${secret}`), unit);
    }
    assert.deepEqual(await release(world), before);
    // An old version of tileshop may have come to its end meanwhile.
    const words = (pids: [string, number][]): string[] =>
      pids.map((one) => one.join(" ")).filter((one) => !one.startsWith("tileshop-prod-web-a"));
    assert.deepEqual(words(await pidsBut(world, "hotrod")), words(others));
  });
  return () => client;
}

/** What becomes of that client. */
export function drainTests(five: Five, client: () => SocketIo | undefined): void {
  after(() => client()?.close());

  it("has told tileshop's client to go when the old version's minute was over, and ended that version", async () => {
    await eventually("the client is told to go", 75, () => client()?.ended !== undefined);
    assert.deepEqual(client()?.named("draining"), [{ version: "1.0.0" }]);
    await eventually("the old slot is gone", 30, async () => {
      const units = [...(await mainPids(five.world.host, "tileshop-prod")).keys()];
      return units.filter((unit) => unit.includes("-web-")).length === 1;
    });
  });
}

/** Which release hotrod runs, which ones there are, and when they were made. */
const release = (world: World): Promise<string> =>
  world.on("readlink /opt/hotrod-prod/current; stat -c '%n %i %Y' /opt/hotrod-prod/releases/* /opt/hotrod-prod/deps/*");
