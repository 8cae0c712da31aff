import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onFly, onHost, standIns } from "../../../rehearsal/fiveApps";
import { importImage } from "../../../rehearsal/host/image";
import { run, type RunResult } from "../../../rehearsal/host/run";
import { awsValues } from "../../../rehearsal/liveApps";
import {
  openSite,
  type Aws,
  type Docker,
  type Fly,
  type Host,
  type Railway,
  type Render,
  type Site,
} from "../../../rehearsal/site";
import { RehearsedStack, type RehearsedValue } from "../../../rehearsal/stack";
import type { AppStatus } from "../../../targets/operations";
import { machinesOfFly, onMachine, servicesOfRailway, servicesOfRender } from "./moveLooks";
import type { Homes } from "./moveTable";
import { allApps, call, copyStandIn, progress, succeeded, type AppName, type Call } from "./world";

/** What the live stack tells of an app. */
interface Told {
  readonly target: string;
  readonly health: Readonly<Record<string, string>>;
  readonly app?: string;
  /** Of `ec2` itself. */
  readonly hosts?: Readonly<Record<string, { readonly instanceId: string }>>;
}

/** The five targets. */
interface Places {
  readonly aws: Aws;
  readonly fly: Fly;
  readonly docker: Docker;
  readonly railway: Railway;
  readonly render: Render;
  readonly host: Host;
}

const crawl4ai = "docker.io/unclecode/crawl4ai:0.7.4";
const onRailway = ["clausea", "catscan", "tileshop"] as const satisfies readonly AppName[];
const named = <T>(names: readonly AppName[], value: (app: AppName) => T): Record<string, T> =>
  Object.fromEntries(names.map((app) => [app, value(app)]));
const repositoryOf = (app: AppName): string => `acme/${app}`;

/** All five targets at once, and the live stack, whose apps go from one to the other by their stack lines. */
export class MoveWorld {
  private constructor(
    private readonly site: Site,
    private readonly places: Places,
    private readonly stack: RehearsedStack,
    private readonly values: Readonly<Record<string, RehearsedValue>>,
    private readonly folder: string,
  ) {}

  static async open(): Promise<MoveWorld> {
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
    const folder = mkdtempSync(join(tmpdir(), "homeport-moves-"));
    const site = await openSite({ log: progress });
    try {
      const [stack, aws, fly, docker, railway, render, host] = await Promise.all([
        RehearsedStack.open({ folder: join(folder, "stack"), stack: "prod", log: progress }),
        site.aws(),
        site.fly(),
        site.docker(),
        site.railway(),
        site.render(),
        site.host("one"),
      ]);
      const places = { aws, fly, docker, railway, render, host };
      await importImage(host, crawl4ai);
      for (const app of allApps) {
        copyStandIn(app, join(folder, app));
        await render.repository(repositoryOf(app), join(folder, app));
      }
      for (const app of onRailway) await railway.repository(repositoryOf(app), join(folder, app));
      const values = valuesOf(places, site.gateway);
      await stack.configure(values);
      return new MoveWorld(site, places, stack, values, folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      await site.close();
      throw error;
    }
  }

  /** Puts apps where they are to be, by their stack lines and what README says that a move to there needs besides. */
  async moveTo(homes: Homes): Promise<Call> {
    await this.stack.configure({
      ...Object.fromEntries(Object.entries(homes).map(([app, target]) => [`${app}:target`, target])),
      // Railway and Fly open its dashboard, which asks for its password.
      "clausea:allowFrom": ["railway", "fly"].includes(homes.clausea)
        ? undefined
        : { json: [`${this.site.gateway}/32`] },
    });
    // No registry has the image: it is put into an instance that is there.
    const instance = await this.instance();
    if (instance !== undefined) await importImage(await this.places.aws.host(instance), crawl4ai);
    return this.mustUp();
  }

  async mustUp(): Promise<Call> {
    return succeeded(await call(() => this.stack.up()));
  }

  outputs(): Promise<Record<string, Told>> {
    return this.stack.outputs<Record<string, Told>>();
  }

  secretOf(key: string): string {
    const value = this.values[key];
    assert.ok(typeof value === "object" && "secret" in value, key);
    return value.secret;
  }

  /** Where a service's public address leads in the rehearsal. */
  async reach(url: string, { target, app }: Told): Promise<string> {
    const { hostname, port, origin, pathname } = new URL(url);
    const found: Readonly<Record<string, () => Promise<string | undefined>>> = {
      fly: () => this.places.fly.url(app ?? "", port === "" ? 443 : Number(port)),
      railway: () => this.places.railway.url(hostname),
      render: () => this.places.render.url(hostname.split(".")[0] ?? ""),
    };
    const reached = await (found[target]?.() ?? Promise.resolve(origin));
    if (reached === undefined) throw new Error(`${url} of ${target} leads nowhere.`);
    return reached + pathname;
  }

  /** Runs the `homeport` command on the stack. */
  homeport(...args: readonly string[]): Promise<RunResult> {
    const { env, cwd } = this.stack.command([]);
    return run([join(__dirname, "../../../bin/homeport"), ...args, "--stack", "prod"], { cwd, env });
  }

  async status(app: AppName): Promise<AppStatus> {
    const told = await this.homeport("status", app, "--json");
    const { apps } = JSON.parse(told.stdout || "{}") as { apps?: AppStatus[] };
    const [status] = apps ?? [];
    if (status === undefined) throw new Error(`homeport status ${app} ended with ${told.code}: ${told.stderr}`);
    return status;
  }

  /** What runs of an app at a target, but for databases that are kept there: nothing, once it has moved away. */
  async running(app: AppName, target: string): Promise<string[]> {
    const { aws, fly, railway, render, host } = this.places;
    const look: Readonly<Record<string, () => Promise<string[]>>> = {
      vps: () => onMachine(host, app),
      ec2: async () => {
        const instance = await this.instance();
        return instance === undefined ? [] : onMachine(await aws.host(instance), app);
      },
      fly: () => machinesOfFly(fly, app),
      railway: () => servicesOfRailway(railway, app),
      render: () => servicesOfRender(render, app),
    };
    return (await look[target]?.()) ?? [`${target} isn't looked at`];
  }

  /** The id of the stack's instance, where it has one. */
  private async instance(): Promise<string | undefined> {
    const { ec2 } = await this.outputs();
    return Object.values(ec2?.hosts ?? {})[0]?.instanceId;
  }

  async close(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await this.site.close();
  }
}

/** What leads the stack to the targets, and what the apps need on any of them. */
function valuesOf(
  { aws, fly, docker, railway, render, host }: Places,
  gateway: string,
): Record<string, RehearsedValue> {
  const withData = allApps.filter((app) => app !== "clausea");
  return {
    ...standIns(aws, gateway),
    ...onFly(fly, docker),
    ...onHost(host, []),
    ...awsValues(aws),
    "render:apiKey": { secret: render.token },
    "render:apiUrl": render.endpoint,
    "railway:apiToken": { secret: railway.token },
    "railway:url": railway.endpoint,
    // Repositories have the same commits wherever they are read.
    ...Object.fromEntries(allApps.map((app) => [`${app}:source`, `${render.remote(repositoryOf(app))}#main`])),
    "render:repositories": { json: named(allApps, (app) => `https://github.com/${repositoryOf(app)}`) },
    "render:ownBackups": { json: withData },
    "railway:repositories": { json: named(onRailway, repositoryOf) },
    "railway:ownBackups": { json: ["catscan", "tileshop"] },
    "ec2:instances": { json: { main: { type: "t3.xlarge", os: "debian-13", protect: false } } },
    "ec2:sshFrom": { json: [`${gateway}/32`] },
    // A volume is for one instance on Render and Railway.
    "hotrod:instances": { json: { web: 1 } },
    "tileshop:instances": { json: { web: 1 } },
    // A host shows a domain's own certificate to the world, and its DNS isn't ours to point at a rehearsal.
    "hotrod:domain": undefined,
    // It is there before the live stack; here the stack makes its own.
    "catscan:buckets": undefined,
  };
}
