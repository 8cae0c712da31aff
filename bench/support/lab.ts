import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fiveAppsOnOneHost, makeExistingBuckets } from "../../rehearsal/fiveApps";
import { importImage } from "../../rehearsal/host/image";
import { RehearsalError, type Log } from "../../rehearsal/host/run";
import { openSite, type Host, type Site } from "../../rehearsal/site";
import { RehearsedStack, type CallOptions } from "../../rehearsal/stack";
import { RawPeer } from "../peers/raw";
import { watched, type Use } from "./memory";

const checkout = resolve(__dirname, "../..");
const standins = join(checkout, "rehearsal/standins");

/** Apps whose code benchmarks change: they are deployed from copies. */
export type ChangedApp = "catscan" | "clausea" | "tileshop";
const codeOf: Readonly<Record<ChangedApp, string>> = { catscan: "", clausea: "apps/backend", tileshop: "" };

/** The five apps, up on a host of this run's own. */
export interface FiveApps {
  readonly site: Site;
  readonly host: Host;
  readonly stack: RehearsedStack;
  /** The health address of each service that has one. */
  readonly health: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What bringing them up took. */
  readonly firstUp: Use;
}

interface AppOutput {
  readonly health: Readonly<Record<string, string>>;
}

/** What benchmarks share: folders, a site and stacks that are made when first asked for, and removed by `close`. */
export class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), "homeport-bench-"));
  private site: Promise<Site> | undefined;
  private five: Promise<FiveApps> | undefined;
  private byHand: Promise<RawPeer> | undefined;
  private readonly closing: (() => Promise<void>)[] = [];
  private version = 0;

  constructor(readonly log: Log) {}

  /** The five apps, deployed when this is first called. */
  fiveApps(): Promise<FiveApps> {
    this.five ??= this.deployFive();
    return this.five;
  }

  /** catscan once more on the same host, deployed by hand. */
  raw(): Promise<RawPeer> {
    this.byHand ??= this.fiveApps().then(({ host }) => RawPeer.open(host, this.folder, this.codeOf("catscan")));
    return this.byHand;
  }

  /** The program of that name in bench/programs, with a state of its own. */
  program(name: string, stack = "bench", folder = name): Promise<RehearsedStack> {
    return RehearsedStack.open({
      folder: join(this.folder, "stacks", folder),
      stack,
      log: this.log,
      program: join(checkout, "bench/programs", name),
    });
  }

  /** Where an app's copied code lies. */
  codeOf(app: ChangedApp): string {
    return join(this.folder, "code", app, codeOf[app]);
  }

  /** Changes an app's code: its file VERSION, which `/version` answers with. @returns the new version */
  change(app: ChangedApp): string {
    const version = `bench-${++this.version}`;
    writeFileSync(join(this.codeOf(app), "VERSION"), `${version}\n`);
    return version;
  }

  /** Has something ended with the lab. */
  onClose(action: () => Promise<void>): void {
    this.closing.push(action);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.closing.map((action) => action()));
    await (await this.site?.catch(() => undefined))?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async deployFive(): Promise<FiveApps> {
    this.site ??= openSite({ log: this.log });
    const site = await this.site;
    const [stack, host, s3] = await Promise.all([
      RehearsedStack.open({ folder: join(site.folder, "stack"), stack: "prod", log: this.log }),
      site.host("bench"),
      site.s3(),
    ]);
    await importImage(host, "docker.io/unclecode/crawl4ai:0.7.4");
    await makeExistingBuckets(s3, ["rtbcat-csv-archive-frankfurt-328614522524"]);
    await stack.configure(fiveAppsOnOneHost(host, s3, site.gateway));
    const copies = Object.keys(codeOf) as ChangedApp[];
    for (const app of copies) cpSync(join(standins, app), join(this.folder, "code", app), { recursive: true });
    await stack.configure(Object.fromEntries(copies.map((app) => [`${app}:source`, join(this.folder, "code", app)])));
    this.log("bringing the five apps up");
    const firstUp = await watched(stack, ["up", "--yes", "--skip-preview"], { onLine: this.log });
    if (firstUp.code !== 0) throw new RehearsalError(`The five apps don't come up:\n${firstUp.output.slice(-4000)}`);
    const outputs = await stack.outputs<Record<string, AppOutput>>();
    const health = Object.fromEntries(Object.entries(outputs).map(([app, output]) => [app, output.health]));
    return { site, host, stack, health, firstUp };
  }
}

/** An `up` that has to succeed. @returns its output */
export async function mustUp(stack: RehearsedStack, options: CallOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await stack.up(options);
  if (code === 0) return stdout;
  throw new RehearsalError(`\`pulumi up\` ended with code ${code}:\n${(stderr + stdout).trim().slice(-4000)}`);
}
