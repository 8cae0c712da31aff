import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { realWorld, type World } from "../../../drivers/http";
import { PaperRuntime, type PaperBehaviour } from "../../../rehearsal/platform/paper";
import type { Container } from "../../../rehearsal/platform/runtime";
import { startRailway, type RailwayEmulator } from "../../../rehearsal/railway/emulator";
import { deploy, remove } from "../../../targets/railway/driver";
import type { RailwayResult, RailwaySpec } from "../../../targets/railway/plan";

/** All that clausea is to be on Railway. */
export const clausea = [
  "domain of api",
  "domain of dashboard",
  "environment dev",
  "instance api in dev",
  "instance dashboard in dev",
  "instance redis in dev",
  "project clausea",
  "service api",
  "service dashboard",
  "service redis",
  "volume of redis at /data",
];
export const clauseaServices = ["api", "dashboard", "redis"];

export const standIn = resolve(__dirname, "../../../rehearsal/standins/clausea");

/** An emulator of Railway with containers on paper, and what the driver told. */
export class RailwayBench {
  readonly lines: string[] = [];
  /** What was sent, in order. */
  readonly requests: { readonly operationName: string; readonly query: string; readonly variables: unknown }[] = [];
  private readonly began = Date.now();
  /** Ends a run at its call of that number, from 0: before it is sent, or when it was answered. */
  kill: { readonly at: number; readonly when: "before" | "after" } | undefined;
  /** Ends a run when such a request was answered. */
  killAfter: ((request: RailwayBench["requests"][number]) => boolean) | undefined;
  private calls = 0;

  private constructor(
    readonly railway: RailwayEmulator,
    private readonly folder: string,
    private readonly behave: { of: (container: Container) => PaperBehaviour },
  ) {}

  /** @param listed milliseconds until lists show what was made, of the fiftieth of time that the bench takes */
  static async open({
    listed = 0,
    ...options
  }: { hourlyLimit?: number; pageSize?: number; listed?: number } = {}): Promise<RailwayBench> {
    const folder = mkdtempSync(join(tmpdir(), "homeport-railway-"));
    const behave: { of: (container: Container) => PaperBehaviour } = { of: () => ({}) };
    const railway = await startRailway({
      file: join(folder, "state.json"),
      runtime: new PaperRuntime((container) => behave.of(container)),
      timings: {
        queue: 5,
        build: 10,
        deploy: 10,
        check: 10,
        restart: 5,
        remove: 5,
        workflow: 20,
        workflowVisible: 5,
        volumeGap: 5,
        certificate: 5,
        listed,
      },
      settings: { rateLimits: options.hourlyLimit !== undefined, healthcheckMs: 150, ...options },
    });
    return new RailwayBench(railway, folder, behave);
  }

  async close(): Promise<void> {
    // What is under way writes its state down once more.
    await Promise.allSettled(this.railway.world.tasks.values());
    await this.railway.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** How containers behave from now on. */
  behaviour(of: (container: Container) => PaperBehaviour): void {
    this.behave.of = of;
  }

  /** Commits the stand-in, or another folder, to the repository acme/clausea. @returns the path of the bare repository */
  async push(folder = standIn): Promise<string> {
    await this.railway.repository("acme/clausea", folder);
    return join(this.folder, "repositories", "acme", "clausea.git");
  }

  /** The spec as the driver gets it, with the emulator in Railway's place, and old versions that end at once. */
  at(spec: RailwaySpec, connection: Partial<RailwaySpec["connection"]> = {}): RailwaySpec {
    const { endpoint, token } = this.railway;
    const services = spec.services.map((service) => ({
      ...service,
      settings: { ...service.settings, overlapSeconds: 0, drainingSeconds: 0 },
    }));
    return { ...spec, services, connection: { ...spec.connection, url: endpoint, token, ...connection } };
  }

  up(spec: RailwaySpec): Promise<RailwayResult> {
    const { io, world } = this.run();
    return deploy(spec, io, world);
  }

  destroy(spec: RailwaySpec): Promise<RailwayResult> {
    const { io, world } = this.run();
    return remove(spec, io, world);
  }

  /** Waits pass in a fiftieth of their time. */
  get world(): World {
    return {
      ...realWorld,
      now: () => this.began + (Date.now() - this.began) * 50,
      sleep: (ms, signal) => realWorld.sleep(ms / 50, signal),
      random: () => 0.5,
    };
  }

  private run() {
    const abort = new AbortController();
    this.calls = 0;
    const end = () => {
      abort.abort(new Error("killed"));
    };
    const world: World = {
      ...this.world,
      fetch: async (url, init) => {
        const call = this.calls++;
        const { kill } = this;
        if (kill?.at === call && kill.when === "before") end();
        const request = JSON.parse(init.body as string) as RailwayBench["requests"][number];
        this.requests.push(request);
        const answer = await realWorld.fetch(url, init);
        if ((kill?.at === call && kill.when === "after") || this.killAfter?.(request) === true) end();
        abort.signal.throwIfAborted();
        return answer;
      },
    };
    return { io: { progress: (line: string) => void this.lines.push(line), signal: abort.signal }, world };
  }

  /** What there is, one line each: what a second one of would be a doubling. */
  objects(): string[] {
    const { projects, environments, services, instances, volumeInstances, domains, buckets, tcpProxies } =
      this.railway.world.state;
    const name = (id: string) => services[id]?.name ?? id;
    const environment = (id: string) => environments[id]?.name ?? id;
    const there = <T extends object>(all: Readonly<Record<string, T>>) =>
      Object.values(all).filter((one) => !("deletedAt" in one) || one.deletedAt === undefined);
    return [
      ...there(projects).map((one) => `project ${one.name}`),
      ...there(environments).map((one) => `environment ${one.name}`),
      ...there(services).map((one) => `service ${one.name}`),
      ...Object.values(instances).map((one) => `instance ${name(one.serviceId)} in ${environment(one.environmentId)}`),
      ...there(volumeInstances).map((one) => `volume of ${name(one.serviceId ?? "nobody")} at ${one.mountPath}`),
      ...Object.values(domains).map((one) => `domain of ${name(one.serviceId)}`),
      ...Object.values(buckets).map((one) => `bucket ${one.name}`),
      ...Object.values(tcpProxies).map((one) => `proxy of ${name(one.serviceId)} to ${one.applicationPort}`),
    ].sort();
  }

  /** Services with a healthy deployment, each with what that runs. */
  serving(): string[] {
    const { deployments, services } = this.railway.world.state;
    return Object.values(deployments)
      .filter(({ status }) => status === "SUCCESS")
      .map((one) => services[one.serviceId]?.name ?? "")
      .sort();
  }

  /** The healthy deployment of each service: its id, and what it was made of. */
  deployments(): Record<string, { readonly id: string; readonly version: string }> {
    const { deployments, services } = this.railway.world.state;
    const healthy = Object.values(deployments).filter(({ status }) => status === "SUCCESS");
    return Object.fromEntries(
      healthy.map(({ id, serviceId, commit, image, config }) => [
        services[serviceId]?.name ?? "",
        { id, version: JSON.stringify([commit?.sha ?? image, config.variables]) },
      ]),
    );
  }

  /** GraphQL's fields of the calls after one, changing ones alone or all. */
  callsAfter(number: number, changing = false): string[] {
    return this.railway.journal
      .entries(number)
      .filter(({ changes }) => changes || !changing)
      .map(({ path }) => path.replace("/graphql/v2/", ""));
  }

  get count(): number {
    return this.railway.journal.entries().at(-1)?.number ?? 0;
  }
}
