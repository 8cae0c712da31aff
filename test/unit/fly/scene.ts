import assert from "node:assert/strict";
import type { FlyAppPlan, FlyGroup, FlyResult, FlySpec } from "../../../targets/fly/plan";
import { rollBack } from "../../../targets/fly/deploy/rollback";
import { Run } from "../../../targets/fly/deploy/run";
import { deploy, remove } from "../../../targets/fly/driver";
import { FakeFly } from "./fake";

export const web = (image: string, change: Partial<FlyGroup> = {}): FlyGroup => ({
  name: "web",
  count: 2,
  config: {
    image,
    guest: { cpu_kind: "shared", cpus: 1, memory_mb: 512 },
    env: { PORT: "8080" },
    services: [
      {
        protocol: "tcp",
        internal_port: 8080,
        autostart: true,
        autostop: "off",
        min_machines_running: 2,
        ports: [{ port: 443, handlers: ["tls", "http"] }],
        checks: [{ type: "http", path: "/health", interval: "5s", timeout: "4s" }],
        concurrency: { type: "connections", soft_limit: 200, hard_limit: 250 },
      },
    ],
    stop_config: { signal: "SIGTERM", timeout: "30s" },
  },
  strategy: "blue-green",
  startSeconds: 60,
  drainSeconds: 30,
  idle: false,
  ...change,
});

export const worker = (image: string, change: Partial<FlyGroup> = {}): FlyGroup => ({
  name: "worker",
  count: 1,
  config: { image, guest: { cpu_kind: "shared", cpus: 1, memory_mb: 256 } },
  strategy: "rolling",
  startSeconds: 60,
  drainSeconds: 30,
  idle: false,
  ...change,
});

export const stored = (image: string, change: Partial<FlyGroup> = {}): FlyGroup =>
  web(image, { strategy: "rolling", volume: { path: "/data", sizeGb: 10, snapshotDays: 5 }, ...change });

export const shop = (groups: readonly FlyGroup[], change: Partial<FlyAppPlan> = {}): FlyAppPlan => ({
  name: "shop-prod",
  region: "fra",
  ips: ["shared_v4", "v6"],
  groups,
  secrets: { API_KEY: "s3cr3t-value" },
  domains: [],
  ...change,
});

export const specOf = (...apps: FlyAppPlan[]): FlySpec => ({
  connection: {
    machinesUrl: "https://api.machines.test",
    apiUrl: "https://api.fly.test",
    org: "acme",
    token: "FlyV1 fm2_testtokentesttoken",
  },
  id: "shop-prod",
  pepper: "pepper-of-this-stack",
  apps,
  postgres: [],
  propagationSeconds: 10,
  onDelete: "keep data",
});

/** A platform, and the lines that were told. */
export class Scene {
  readonly fly = new FakeFly();
  readonly lines: string[] = [];

  private io() {
    const abort = new AbortController();
    this.fly.abort.push(abort);
    return { progress: (line: string) => void this.lines.push(line), signal: abort.signal };
  }

  up(spec: FlySpec): Promise<FlyResult> {
    return deploy(spec, this.io(), this.fly.world);
  }

  destroy(spec: FlySpec): Promise<FlyResult> {
    return remove(spec, this.io(), this.fly.world);
  }

  async back(spec: FlySpec, app = "shop-prod"): Promise<readonly string[]> {
    const run = new Run(spec, this.io(), [], this.fly.world);
    await rollBack(run, [app]);
    return run.changes;
  }

  machines(app = "shop-prod") {
    return this.fly.apps.get(app)?.machines ?? [];
  }

  /** What is there, as one line a machine: group, slot, image, cordoned or not. */
  state(app = "shop-prod"): string[] {
    return this.machines(app)
      .map(({ config, cordoned, stopped }) => {
        const { fly_process_group: group, homeport_slot: slot, homeport_state: state } = config.metadata ?? {};
        const marks = [cordoned ? " cordoned" : "", stopped ? " stopped" : ""].join("");
        return `${group ?? "?"} ${slot ?? "-"} ${config.image} ${state ?? "-"}${marks}`;
      })
      .sort();
  }
}

/** What a person is told where something is refused, which it has to be. */
export const rejection = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error, "it was accepted");
  return error.message;
};
