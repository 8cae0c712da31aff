import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../rehearsal/host/run";
import { without } from "../../rehearsal/platform/without";
import { type Fly, type Site, openSite } from "../../rehearsal/site";
import { deploy } from "../../targets/fly/driver";
import type { MachineService } from "../../targets/fly/api/types";
import type { FlyGroup, FlySpec } from "../../targets/fly/plan";
import { schedulerScript } from "../../targets/fly/scheduler/bundle";
import type { Schedule } from "../../targets/fly/scheduler/schedule";
import { planOf } from "../unit/fly/plans";
import { type FlyCalls, flyCalls } from "./support/flyCalls";
import { loadImage } from "./support/flyImage";

const image = "docker.io/test/web:1";
const encode = (text: string): string => Buffer.from(text).toString("base64");
const decode = (text: string): string => Buffer.from(text, "base64").toString();

/**
 * Every minute: one in the machine that has the volume, which takes longer than the proxy lets a machine be without a request,
 * and one that has a machine of its own and fails.
 */
function everyMinute(schedule: Schedule): Schedule {
  const [ingest] = schedule.jobs;
  assert.ok(ingest?.inPlace === true);
  const expression = "* * * * *";
  const report = {
    name: "report",
    group: "worker",
    inPlace: false,
    commands: ['echo "version $SHOPIFY_API_VERSION"', "exit 3"],
  };
  return {
    ...schedule,
    jobs: [
      {
        ...ingest,
        expression,
        commands: ["sleep 70", 'echo "$FLY_MACHINE_ID $SHOPIFY_ACCESS_TOKEN $PWD" >>"$CHROMA_PATH/ran"'],
      },
      { ...ingest, expression, ...report },
    ],
  };
}

/** hotrod's own plan, with another program in its image and other jobs in its schedule. */
function changed(group: FlyGroup, stack: string): FlyGroup {
  const { init, files = [] } = group.config;
  const cmd = (init?.cmd ?? []).map((line) => line.replace(/exec npm run .*/, "exec /usr/bin/python3 -u /app/main.py"));
  const sleepy = (service: MachineService) => ({ ...service, autostop: "stop", min_machines_running: 1 }) as const;
  return {
    ...group,
    idle: group.name === "web",
    config: {
      ...group.config,
      ...(["web", "worker"].includes(group.name) ? { image, init: { ...init, cmd } } : {}),
      ...(group.name === "web" ? { services: (group.config.services ?? []).map(sleepy) } : {}),
      files: files.map((file) => {
        if (file.guest_path.endsWith("scheduler.js")) return { ...file, raw_value: encode(schedulerScript()) };
        if (!file.guest_path.endsWith("schedule.json")) return file;
        const schedule = JSON.parse(decode(file.raw_value ?? "")) as Schedule;
        return { ...file, raw_value: encode(JSON.stringify({ ...everyMinute(schedule), stack })) };
      }),
    },
  };
}

describe("Jobs on Fly.io on this machine", function () {
  this.timeout(290_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-fly-"));
  let site: Site;
  let fly: Fly;
  let api: FlyCalls;
  let web: string;
  let other: string;
  let scheduler: string;

  const lines: string[] = [];
  const io = { progress: (line: string) => void lines.push(line), signal: new AbortController().signal };

  /** @param name of the stack's schedule, another one of which is another version of the scheduler */
  async function specOf(name = "dev"): Promise<FlySpec> {
    const urls = { "fly:machinesUrl": fly.endpoint, "fly:apiUrl": fly.endpoint };
    const spec = await planOf("hotrod", "1", urls);
    const connection = { machinesUrl: fly.endpoint, apiUrl: fly.endpoint, org: "personal", token: fly.token };
    const apps = spec.apps.map((app) => ({
      ...without(app, "release"),
      groups: app.groups.map((group) => changed(group, name)),
    }));
    return { ...spec, connection, propagationSeconds: 1, apps };
  }

  before(async () => {
    site = await openSite({ folder, log: () => undefined });
    fly = await site.fly();
    api = flyCalls(fly);
    await loadImage(await site.host("fly"), image);
    const { apps } = await deploy(await specOf(), io);
    [web = "", other = ""] = apps["hotrod-dev"]?.machines["web"] ?? [];
    scheduler = apps["hotrod-dev--scheduler"]?.machines["scheduler"]?.[0] ?? "";
    assert.ok(other !== "" && scheduler !== "", lines.join("\n"));
  });
  after(async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("run at their minute in the machine that has the volume, with the program's variables and folder", async () => {
    const ran = await poll(
      async () => {
        const said = await api.inside("hotrod-dev", web, "/bin/sh", "-c", "cat /data/chroma/ran 2>/dev/null || true");
        return said === "" ? undefined : said.split("\n")[0];
      },
      {
        timeoutMs: 180_000,
        everyMs: 1_000,
        failure: () => api.logs("hotrod-dev--scheduler", scheduler),
      },
    );
    assert.match(ran, new RegExp(`^${web} marker-\\S+ /`));
    await api.says("hotrod-dev--scheduler", scheduler, /ingest: succeeded/);
    const { state } = await api.read("hotrod-dev", other);
    assert.equal(state, "stopped", "the proxy has let the other machine be, so that nothing is shown of this one");
  });

  it("are followed to their end by the scheduler that takes the place of the one that began them", async () => {
    const log = () => api.logs("hotrod-dev--scheduler", scheduler);
    const begun = /ingest: begins its run of (\S+)$/gm;
    const before = [...(await log()).matchAll(begun)].length;
    const last = await poll(async () => [...(await log()).matchAll(begun)].slice(before).at(-1)?.[1], {
      timeoutMs: 130_000,
      everyMs: 500,
      failure: log,
    });
    const { changes } = await deploy(await specOf("another"), io);
    assert.ok(
      changes.some((line) => line.includes("scheduler 1 is updated")),
      changes.join("\n"),
    );
    const end = new RegExp(`ingest: follows its run of ${last}[^]*ingest: succeeded`);
    await poll(async () => (end.test(await log()) ? true : undefined), {
      timeoutMs: 100_000,
      everyMs: 1_000,
      failure: log,
    });
  });

  it("run on a machine of their own, which is gone afterwards, and tell how they ended", async () => {
    await poll(
      async () => (/report: failed/.test(await api.logs("hotrod-dev--scheduler", scheduler)) ? true : undefined),
      {
        timeoutMs: 90_000,
        everyMs: 1_000,
        failure: () => api.logs("hotrod-dev--scheduler", scheduler),
      },
    );
    assert.match(await api.logs("hotrod-dev--scheduler", scheduler), /report: failed \(code 3\)/);
    interface Listed {
      readonly state: string;
      readonly config: { readonly metadata: Readonly<Record<string, string>> };
    }
    await poll(
      async () => {
        const all = await api.call<Listed[]>("GET", "/apps/hotrod-dev/machines?include_deleted=true");
        const runs = all.filter(({ config }) => config.metadata["homeport_job"] === "report");
        return runs.some(({ state }) => state === "destroyed") ? true : undefined;
      },
      { timeoutMs: 20_000, failure: () => "the job's machine stays" },
    );
  });
});
