import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "../../../drivers/http";
import { deploy, remove } from "../../../targets/render/driver";
import type { RenderResult, RenderService, RenderSpec } from "../../../targets/render/plan";
import { token } from "../../../targets/render/tokens";
import { type Bench, openBench } from "../rehearsal/renderSupport";

/** A commit, as long as one is. */
export const commit = (version: string): string => version.padEnd(40, "0");
const repo = "https://github.com/acme/shop";

const service = (change: Partial<RenderService> & Pick<RenderService, "part" | "type" | "stage">): RenderService => ({
  name: `shop-dev-${change.part}`,
  code: {
    kind: "repository",
    repo,
    branch: "main",
    rootDir: "",
    dockerfilePath: "./Dockerfile",
    commit: commit("a1"),
  },
  plan: "starter",
  drainSeconds: 30,
  instances: { min: 1, max: 1 },
  env: {},
  secrets: Object.keys(change.env ?? {}).filter((name) => name === "API_KEY"),
  files: {},
  domains: [],
  deploySeconds: 600,
  ...change,
});

/** A shop: a web service with a release step and a domain, a worker, a search engine inside, a job, two databases. */
export function shop(version = "a1", web: Partial<RenderService> = {}): RenderService[] {
  const code = { kind: "repository", repo, branch: "main", rootDir: "", dockerfilePath: "./Dockerfile" } as const;
  const own = { ...code, commit: commit(version) };
  const env = { DATABASE_URL: token("postgres", "db"), REDIS_URL: token("keyvalue", "cache"), API_KEY: "s3cr3t/value" };
  return [
    service({
      ...{ part: "search", type: "private_service", stage: 0, env: { PORT: "7700" } },
      code: { kind: "image", image: "getmeili/meilisearch:v1" },
    }),
    service({
      ...{
        part: "web",
        type: "web_service",
        stage: 1,
        code: own,
        command: "exec npm start",
        release: "npm run migrate",
      },
      ...{ healthPath: "/health", domains: ["shop.example.com"], files: { KEY: "{}" } },
      env: { ...env, PORT: "8080", SEARCH_URL: `http://${token("host", "search")}:7700`, VERSION: version },
      ...web,
    }),
    service({
      ...{ part: "worker", type: "background_worker", stage: 2, code: own, env },
      command: "exec npm run worker",
    }),
    service({
      ...{
        part: "report",
        type: "cron_job",
        stage: 3,
        code: own,
        env,
        schedule: "0 8 * * *",
        command: "npm run report",
      },
      ...without("drainSeconds", "instances"),
    }),
  ];
}

/** Cron jobs have neither. */
const without = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, undefined]));

/** A driver's world in which waits take a hundredth of their time. */
export function quickWorld(): World {
  let slept = 0;
  return {
    now: () => Date.now() + slept,
    sleep: async (ms, signal) => {
      slept += Math.round(ms);
      await sleep(Math.min(ms / 100, 100), undefined, signal === undefined ? {} : { signal });
      signal?.throwIfAborted();
    },
    random: () => 0.5,
    fetch: (url, init) => fetch(url, init),
  };
}

/** An emulated Render, and runs of the driver against it. */
export class Scene {
  readonly lines: string[] = [];

  private constructor(readonly bench: Bench) {}

  static async open(options: Parameters<typeof openBench>[0] = {}): Promise<Scene> {
    return new Scene(await openBench(options));
  }

  spec(services: readonly RenderService[], change: Partial<RenderSpec> = {}): RenderSpec {
    const { endpoint, token: apiKey } = this.bench.render;
    return {
      connection: { apiUrl: endpoint, apiKey },
      id: "shop-dev",
      pepper: "pepper-of-this-stack",
      project: "shop",
      environment: "dev",
      isProtected: false,
      region: "frankfurt",
      postgres: [{ part: "db", name: "shop-dev-db", plan: "basic_256mb", diskGb: 5, version: "17" }],
      keyValues: [{ part: "cache", name: "shop-dev-cache", plan: "starter" }],
      services,
      adopt: [],
      onDelete: "keep data",
      ...change,
    };
  }

  /** @param killAfter the call after whose answer the run is killed */
  async up(spec: RenderSpec, killAfter = Infinity): Promise<RenderResult> {
    const abort = new AbortController();
    const world = quickWorld();
    let calls = 0;
    const counted: World = {
      ...world,
      fetch: async (url, init) => {
        const answer = await world.fetch(url, init);
        if (++calls >= killAfter) abort.abort(new Error("killed"));
        return answer;
      },
    };
    return deploy(spec, { progress: (line) => void this.lines.push(line), signal: abort.signal }, counted);
  }

  destroy(spec: RenderSpec): Promise<RenderResult> {
    const { signal } = new AbortController();
    return remove(spec, { progress: (line) => void this.lines.push(line), signal }, quickWorld());
  }

  get state() {
    return this.bench.render.world.state;
  }

  /** Calls that ask for a change, since the last time it was asked. */
  changing(after = 0): string[] {
    return this.bench.render.journal
      .entries(after)
      .filter(({ changes }) => changes)
      .map(
        ({ method, path }) =>
          `${method} ${path.replace("/v1", "").replace(/\b(srv|crn|dpg|red|evm|prj|dsk)-\w+/g, "$1")}`,
      );
  }

  get calls(): number {
    return this.bench.render.journal.entries().length;
  }

  /** What runs, as one line a service: name, commit or image, number of instances, variables' version. */
  running(): string[] {
    const { services, deploys, instances } = this.state;
    return Object.values(services)
      .map(({ id, name, type }) => {
        const live = Object.values(deploys).find((one) => one.serviceId === id && one.status === "live");
        const what = live?.commit?.id.replace(/0+$/, "") ?? live?.image?.ref ?? "nothing";
        const up = Object.values(instances).filter((one) => one.serviceId === id && one.isKept && one.isUp);
        const version = live?.snapshot?.env["VERSION"];
        const marks = version === undefined ? "" : ` with ${version}`;
        return type === "cron_job" ? `${name} ${what}` : `${name} ${what} x${up.length}${marks}`;
      })
      .sort();
  }
}
