import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fiveAppsOnOneHost, makeExistingBuckets } from "../../../rehearsal/fiveApps";
import { importImage } from "../../../rehearsal/host/image";
import { openSite, type Host, type HostOptions, type S3, type Site } from "../../../rehearsal/site";
import { countsOf, RehearsedStack, type CallOptions, type RehearsedValue } from "../../../rehearsal/stack";

const checkout = resolve(__dirname, "../../..");
const crawl4ai = "docker.io/unclecode/crawl4ai:0.7.4";

/** The five apps, in the order in which a stack declares them. */
export const allApps = ["shopifly", "catscan", "hotrod", "tileshop", "clausea"] as const;
export type AppName = (typeof allApps)[number];

/** How a `pulumi` call ended. */
export interface Call {
  readonly code: number;
  /** Both streams, one after the other. */
  readonly output: string;
  /** `created`, `updated`, `deleted`, `replaced`, `unchanged`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** What a world is made of. */
export interface WorldOptions {
  readonly apps: readonly AppName[];
  /** @default prod */
  readonly stack?: "dev" | "prod";
  readonly host?: HostOptions;
  /** More values for the stack, over those of the rehearsal. */
  readonly values?: Readonly<Record<string, RehearsedValue>>;
}

/** Tells where a test that takes minutes has got to. */
export function progress(line: string): void {
  process.stdout.write(`      · ${line}\n`);
}

/** A site with one host, and a stack on it whose apps are private copies of the stand-ins: tests may edit their code. */
export class World {
  private readonly folders: string[] = [];

  private constructor(
    readonly site: Site,
    readonly host: Host,
    readonly s3: S3,
    readonly apps: readonly AppName[],
    private readonly sources: string,
  ) {}

  /** The first stack, the one that was asked for. */
  stack!: RehearsedStack;
  /** What the first stack was given, by key. */
  values: Readonly<Record<string, RehearsedValue>> = {};

  /** Boots a host and an S3 emulator, and sets the stack up; nothing is deployed yet. Closes what it opened if that fails. */
  static async open(options: WorldOptions): Promise<World> {
    const site = await openSite({ log: progress });
    const sources = mkdtempSync(join(tmpdir(), "homeport-sources-"));
    try {
      const [host, s3] = await Promise.all([site.host("one", options.host), site.s3()]);
      if (options.apps.includes("tileshop")) await importImage(host, crawl4ai);
      const world = new World(site, host, s3, options.apps, sources);
      for (const app of options.apps) copyStandIn(app, world.code(app));
      await makeExistingBuckets(s3, ["rtbcat-csv-archive-frankfurt-328614522524"]);
      world.values = world.valuesFor(options.apps, options.values);
      world.stack = await world.openStack(options.stack ?? "prod", world.values);
      return world;
    } catch (error) {
      rmSync(sources, { recursive: true, force: true });
      await site.close();
      throw error;
    }
  }

  /** What a stack of these apps needs on this world's host. */
  valuesFor(
    apps: readonly AppName[],
    more: Readonly<Record<string, RehearsedValue>> = {},
  ): Readonly<Record<string, RehearsedValue>> {
    return {
      ...fiveAppsOnOneHost(this.host, this.s3, this.site.gateway),
      ...Object.fromEntries(apps.map((app) => [`${app}:source`, this.code(app)])),
      "homeport:apps": { json: apps },
      ...more,
    };
  }

  /** Another stack on the same world. */
  async openStack(stack: string, values: Readonly<Record<string, RehearsedValue>>): Promise<RehearsedStack> {
    const folder = mkdtempSync(join(this.sources, "stack-"));
    this.folders.push(folder);
    const opened = await RehearsedStack.open({ folder, stack, log: progress });
    await opened.configure(values);
    return opened;
  }

  /** The folder that the (last opened) stack keeps its state and configuration in. */
  get stackFolder(): string {
    return this.folders[0] ?? "";
  }

  /** The folder of an app's code; given a file, the path of that file in it. */
  code(app: AppName, ...file: readonly string[]): string {
    return join(this.sources, app, ...file);
  }

  /** Gives an app another version: what `/version` answers. */
  setVersion(app: AppName, version: string): void {
    writeFileSync(this.code(app, rootOf(app), "VERSION"), `${version}\n`);
  }

  /** Makes an app show a fault when it is deployed next; undefined takes it away. */
  setFault(app: AppName, fault: string | undefined): void {
    const file = this.code(app, rootOf(app), "FAULT");
    if (fault === undefined) rmSync(file, { force: true });
    else writeFileSync(file, `${fault}\n`);
  }

  /** `pulumi up` of the first stack, however it ends. */
  up(options: CallOptions = {}): Promise<Call> {
    return call(() => this.stack.up(options));
  }

  /** `pulumi up` of the first stack, which has to succeed. */
  async mustUp(options: CallOptions = {}): Promise<Call> {
    return succeeded(await this.up(options));
  }

  /** The address of a service on the host, `url(8000, "/health")`. */
  url(port: number, path = ""): string {
    return `http://${this.host.address}:${port}${path}`;
  }

  /** Runs a command on the host, which has to succeed, and returns what it printed. */
  async on(command: string, input?: string): Promise<string> {
    return onHost(this.host, command, input);
  }

  async close(): Promise<void> {
    rmSync(this.sources, { recursive: true, force: true });
    await this.site.close();
  }
}

/** Runs a command on a host, which has to succeed, and returns what it printed, without the last line break. */
export async function onHost(host: Pick<Host, "exec">, command: string, input?: string): Promise<string> {
  const result = await host.exec(command, input === undefined ? {} : { input });
  if (result.code !== 0) {
    throw new Error(`\`${command}\` on the host ended with code ${result.code}:\n${result.stderr}${result.stdout}`);
  }
  return result.stdout.trimEnd();
}

/** Times a call of `pulumi` and reads its summary. */
export async function call(start: () => Promise<{ code: number; stdout: string; stderr: string }>): Promise<Call> {
  const begun = performance.now();
  const { code, stdout, stderr } = await start();
  const seconds = (performance.now() - begun) / 1000;
  return { code, output: `${stdout}${stderr}`, counts: countsOf(stdout), seconds };
}

/** The call, unless it failed: then what it printed is the error. */
export function succeeded(result: Call): Call {
  if (result.code !== 0) throw new Error(`\`pulumi\` ended with code ${result.code}:\n${result.output}`);
  return result;
}

/** A private copy of a stand-in, without what its build or its runs left. */
export function copyStandIn(app: AppName, to: string): void {
  const skipped = /\/(node_modules|\.venv|__pycache__|build|data)$/;
  cpSync(join(checkout, "rehearsal/standins", app), to, {
    recursive: true,
    filter: (path) => !skipped.test(path),
  });
}

/** Where in its repository an app's own root is, which holds VERSION and FAULT. */
export function rootOf(app: AppName): string {
  return app === "clausea" ? "apps/backend" : "";
}
