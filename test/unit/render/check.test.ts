import assert from "node:assert/strict";
import { app, cron, Duration, fromStack, node, Size, Volume } from "../../../components";
import { resolveStack } from "../../../components/resolveStack";
import { resolve } from "node:path";
import { toldCreates } from "../../../targets/render/check";
import { renderConfig, resolveOnRender, withRender } from "./plans";

const cwd = resolve(__dirname, "../../..");
const repositories = { "render:repositories": '{"hotrod":"https://github.com/acme/hotrod"}' };
type Changes = Parameters<typeof renderConfig>[0];

describe("what keeps an app from Render", () => {
  const found = async (changes: Changes = {}): Promise<Map<string, string>> => {
    const { problems } = await resolveOnRender({ ...repositories, ...changes });
    return new Map(problems.map(({ where, what, why = "", fix }) => [where, `${what} ${why} ${fix}`]));
  };

  it("is a key that lacks, and code that Render can't read", async () => {
    const problems = await found({ "render:apiKey": undefined });
    assert.match(problems.get("render:apiKey")!, /It has no value.*pulumi config set --secret render:apiKey/);
    assert.match(problems.get("hotrod.web.source")!, /this is a folder or an archive/);
  });

  it("is several instances of a service with a volume, which the stack may say otherwise", async () => {
    const problems = await found({ "hotrod:instances": undefined });
    assert.match(problems.get("hotrod.web.instances")!, /a volume and 2 instances; render can't give it/);
    assert.equal((await found()).get("hotrod.web.instances"), undefined);
  });

  it("is several instances of a service that keeps browsers on one of them", async () => {
    const sticky = app("hotrod", "Sticky", (a) => {
      const code = { source: fromStack(), runtime: node("20"), command: "serve", port: 8080, health: "/health" };
      a.service("web", { ...code, sticky: true, instances: { min: 1, max: 3 } });
    });
    const told = async (instances: string | undefined): Promise<string | undefined> => {
      const config = renderConfig({ "hotrod:instances": instances });
      const { problems } = await resolveStack({ apps: [sticky], targets: withRender, config, cwd });
      const found = problems.find(({ where }) => where === "hotrod.web.sticky");
      return found === undefined ? undefined : `${found.what} ${found.fix}`;
    };
    assert.match((await told(undefined))!, /one of 3 instances; Render sends.*set --path hotrod:instances\.web 1/);
    assert.equal(await told('{"web":1}'), undefined);
  });

  it("is a backup that is to go elsewhere, unless the stack takes Render's own", async () => {
    const problems = await found({ "render:ownBackups": undefined });
    assert.match(
      problems.get("hotrod.db.backup")!,
      /to go to backups, and Render uploads none.*render:ownBackups\[0\]' hotrod/,
    );
    assert.equal((await found()).get("hotrod.db.backup"), undefined);
  });

  it("is a setting for what isn't there, with the nearest that is", async () => {
    const problems = await found({
      "render:names": '{"hotrod-wbe":"x"}',
      "render:plans": '{"hotrod-worke":"pro"}',
      "render:adopt": '["hotrod-we"]',
      "render:postgresPlans": '{"hotrd":"pro_4gb"}',
    });
    assert.match(problems.get("render:names")!, /did you mean "hotrod-web"/);
    assert.match(problems.get("render:plans")!, /did you mean "hotrod-worker"/);
    assert.match(problems.get("render:adopt")!, /did you mean "hotrod-web"/);
    assert.match(problems.get("render:postgresPlans")!, /did you mean "hotrod"/);
  });

  it("isn't what is set for an app that lives elsewhere for now", async () => {
    const problems = await found({
      "catscan:target": "vps",
      "render:names": '{"catscan-api":"cats"}',
      "render:plans": '{"catscan-api":"pro"}',
      "render:adopt": '["catscan-api"]',
      "render:repositories": '{"hotrod":"https://github.com/acme/hotrod","catscan":"https://github.com/acme/catscan"}',
      "render:ownBackups": '["hotrod","catscan"]',
    });
    assert.deepEqual(
      [...problems.keys()].filter((where) => where.startsWith("render:")),
      [],
    );
  });

  it("is a name that can't be one, or that two would have", async () => {
    const one = await found({ "render:names": '{"hotrod-web":"Dashboard Remix"}' });
    assert.match(one.get("render:names")!, /can't be a name on Render/);
    const two = await found({ "render:names": '{"hotrod-web":"same","hotrod-worker":"same"}' });
    assert.match(two.get("render:names")!, /hotrod-web and hotrod-worker would both be called same/);
  });

  it("isn't more than 20 services, which is told: they are made in several hours", async () => {
    const many = app("hotrod", "Many", (a) => {
      for (let index = 0; index < 11; index++) {
        const service = a.service(`worker-${index}`, { source: fromStack(), runtime: node("20"), command: "work" });
        a.job(`job-${index}`, { in: service, at: cron("0 8 * * *"), command: "do" });
      }
    });
    const resolved = await resolveStack({ apps: [many], targets: withRender, config: renderConfig(), cwd });
    assert.deepEqual(
      resolved.problems.filter(({ where, what }) => where === "homeport:apps" || /an hour/.test(what)),
      [],
    );
    assert.match(toldCreates(resolved.apps).join(), /22 services and jobs on Render, which makes 20 in an hour/);
    assert.deepEqual(toldCreates((await resolveOnRender()).apps), []);
  });

  it("is a job that takes too long, and one that needs the disk of a service without a command", async () => {
    const odd = app("hotrod", "Odd", (a) => {
      const code = { source: fromStack(), runtime: node("20") };
      const worker = a.service("worker", { ...code, command: "work" });
      a.job("long", { in: worker, at: cron("0 8 * * *"), command: "do", timeout: Duration.hours(13) });
      const store = a.service("store", { image: "acme/store:1", volumes: [Volume.at("/data", Size.gib(1))] });
      a.job("tidy", { in: store, at: cron("0 8 * * *"), command: "do" });
    });
    const { problems } = await resolveStack({ apps: [odd], targets: withRender, config: renderConfig(), cwd });
    const where = new Map(problems.map((one) => [one.where, one.what]));
    assert.match(where.get("hotrod.long.timeout") ?? "", /12 hours/);
    assert.match(where.get("hotrod.tidy.in") ?? "", /has no command/);
  });
});
