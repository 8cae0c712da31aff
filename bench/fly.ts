import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RehearsalError } from "../rehearsal/host/run";
import type { Entry } from "../rehearsal/platform/journal";
import type { FlySpec } from "../targets/fly/plan";
import { DriverProcesses } from "../test/support/fly/driverProcess";
import { withOtherSecrets } from "../test/support/fly/cases";
import { PaperPlatform } from "../test/support/fly/platform";
import { fastTime } from "../test/support/fly/time";
import { planOf } from "../test/unit/fly/plans";
import { callsOfFlyctl, type Shape } from "./flyctl";
import type { Finding } from "./support/report";

/** What each call takes besides the emulator's own time, about an ocean's width. */
const latencyMs = 100;

/** The app that flyctl would deploy by one `fly deploy`; beside it, hotrod has Redis, a scheduler and Postgres. */
const main = "hotrod-dev";

interface Deploy {
  readonly seconds: number;
  readonly calls: readonly Entry[];
}

/** Calls about a record of a deploy name no app: they are about the one whose records were listed last. */
function ofMain(calls: readonly Entry[]): readonly Entry[] {
  let recorded: string | undefined;
  return calls.filter(({ path }) => {
    const listed = /^\/api\/v1\/apps\/([^/]+)\/releases$/.exec(path)?.[1];
    recorded = listed ?? recorded;
    if (path.startsWith("/api/")) return recorded === main;
    return path === "/v1/apps" || path.split("/")[3] === main;
  });
}
const leases = (calls: readonly Entry[]): number => calls.filter(({ path }) => path.endsWith("/lease")).length;
/** A lease changes nothing that runs. */
const changing = (calls: readonly Entry[]): number =>
  calls.filter(({ changes, path }) => changes && !path.endsWith("/lease")).length;

/** What of the main app flyctl's calls depend on. */
function shapeOf({ apps }: FlySpec): Shape {
  const app = apps.find(({ name }) => name === main);
  if (app === undefined) throw new RehearsalError(`hotrod's plan has no app ${main}.`);
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  return {
    machines: sum(app.groups.map(({ count }) => count)),
    checked: sum(app.groups.map(({ count, config }) => (config.services === undefined ? 0 : count))),
    volumes: sum(app.groups.map(({ count, volume }) => (volume === undefined ? 0 : count))),
    addresses: app.ips.length,
  };
}

/** Deploys of hotrod by the driver's own process to the emulator, with machines on paper, beside what flyctl asks. */
export async function fly(): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), "homeport-bench-fly-"));
  const time = fastTime(1);
  const platform = await PaperPlatform.open(join(folder, "fly"), time);
  const drivers = new DriverProcesses(folder, time);
  platform.fly.world.faults.add({ kind: "slow", ms: latencyMs, count: Number.MAX_SAFE_INTEGER });
  const deploy = async (plan: FlySpec): Promise<Deploy> => {
    const before = platform.fly.journal.entries().length;
    const began = performance.now();
    const spec = { ...platform.spec(plan), propagationSeconds: plan.propagationSeconds };
    const { code, told } = await drivers.start(spec).ended;
    if (code !== 0) throw new RehearsalError(`The deploy ended with code ${code ?? "none"}:\n${told}`);
    return { seconds: (performance.now() - began) / 1000, calls: platform.fly.journal.entries(before) };
  };
  try {
    const plan = await planOf("hotrod", "1");
    const shape = shapeOf(plan);
    const deploys: readonly [string, Deploy, number | string, number | string][] = [
      ["first deploy", await deploy(plan), ...callsOfFlyctl("first", shape)],
      ["nothing changed", await deploy(plan), ...callsOfFlyctl("next", shape)],
      ["new version", await deploy(await planOf("hotrod", "2")), ...callsOfFlyctl("next", shape)],
      ["new secrets", await deploy(withOtherSecrets(await planOf("hotrod", "2"))), ...callsOfFlyctl("next", shape)],
    ];
    return {
      title: "Fly",
      tables: [
        {
          head: [
            "hotrod",
            "seconds",
            "calls",
            "of them changing",
            "for the main app",
            "leases",
            "changing",
            "flyctl",
            "changing",
          ],
          rows: deploys.map(([name, { seconds, calls }, flyctl, flyctlChanging]) => [
            name,
            seconds,
            ...[calls.length, changing(calls), ofMain(calls).length, leases(ofMain(calls)), changing(ofMain(calls))],
            ...[flyctl, flyctlChanging],
          ]),
        },
      ],
      notes: [
        `each call takes ${latencyMs} ms; the emulator limits calls as Fly does, its machines start at once, and its proxy is given ${plan.propagationSeconds} s to learn of each change`,
        "leases count among the calls and not among the changes; Homeport's are refreshed every 8 s, flyctl's every 4 s, which its count leaves out",
        `flyctl's calls are the fewest that its source makes for the main app (${shape.machines} machines, ${shape.volumes} volumes, a release command), which bench/flyctl.ts counts; it knows nothing of Redis's and the scheduler's apps, and the cluster's calls aren't in its count`,
      ],
    };
  } finally {
    await platform.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
