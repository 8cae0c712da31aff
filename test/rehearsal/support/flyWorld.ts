import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onFly, standIns } from "../../../rehearsal/fiveApps";
import { run, type RunResult } from "../../../rehearsal/host/run";
import { openSite, type Docker, type Fly, type Site } from "../../../rehearsal/site";
import { RehearsedStack, type RehearsedValue } from "../../../rehearsal/stack";
import { type FlyCalls, flyCalls } from "./flyCalls";
import { call, copyStandIn, progress, succeeded, type AppName, type Call } from "./world";

/** A machine of Fly, as far as tests look at it. */
export interface Machine {
  readonly id: string;
  readonly instance_id: string;
  readonly state: string;
  readonly config: { readonly image: string; readonly metadata?: Readonly<Record<string, string>> };
}

/** Fly, a Docker Engine and the live stack with apps on Fly, whose code are private copies of the stand-ins. */
export class FlyWorld {
  readonly calls: FlyCalls;

  private constructor(
    readonly site: Site,
    readonly fly: Fly,
    readonly docker: Docker,
    readonly stack: RehearsedStack,
    readonly values: Readonly<Record<string, RehearsedValue>>,
    private readonly folder: string,
  ) {
    this.calls = flyCalls(fly);
  }

  static async open(apps: readonly AppName[]): Promise<FlyWorld> {
    const folder = mkdtempSync(join(tmpdir(), "homeport-fly-"));
    const site = await openSite({ log: progress });
    try {
      const [stack, fly, docker, s3] = await Promise.all([
        RehearsedStack.open({ folder: join(folder, "stack"), stack: "prod", log: progress }),
        site.fly(),
        site.docker(),
        site.s3(),
      ]);
      for (const app of apps) copyStandIn(app, join(folder, app));
      const values = {
        ...standIns(s3, site.gateway),
        ...onFly(fly, docker),
        ...Object.fromEntries(apps.map((app) => [`${app}:source`, join(folder, app)])),
        "homeport:apps": { json: apps },
      };
      await stack.configure(values);
      return new FlyWorld(site, fly, docker, stack, values, folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      await site.close();
      throw error;
    }
  }

  /** The path of a file of an app's code. */
  path(app: AppName, file: string): string {
    return join(this.folder, app, file);
  }

  /** Puts something into a file of an app's code. */
  write(app: AppName, file: string, text: string): void {
    writeFileSync(join(this.folder, app, file), text);
  }

  up(): Promise<Call> {
    return call(() => this.stack.up());
  }

  async mustUp(): Promise<Call> {
    return succeeded(await this.up());
  }

  /** What a call of `pulumi up` asked of Fly, oldest first. */
  async during<T>(act: () => Promise<T>): Promise<{ result: T; calls: Awaited<ReturnType<Fly["calls"]>> }> {
    const before = (await this.fly.calls()).at(-1)?.number ?? 0;
    const result = await act();
    return { result, calls: await this.fly.calls(before) };
  }

  /** The address of an app's web service. */
  async url(app: string, path = ""): Promise<string> {
    const origin = await this.fly.url(app);
    if (origin === undefined) throw new Error(`${app} has no public address.`);
    return origin + path;
  }

  /** An app's machines by group and slot, `web/1`; undefined where Fly has no such app. */
  async machines(app: string): Promise<ReadonlyMap<string, Machine> | undefined> {
    const machines = await this.calls.machines<Machine>(app);
    if (machines === undefined) return undefined;
    return new Map(
      machines.map((one) => {
        const { fly_process_group: group = "?", homeport_slot: slot = "?" } = one.config.metadata ?? {};
        return [`${group}/${slot}`, one];
      }),
    );
  }

  /** Runs the `homeport` command on the stack. */
  homeport(...args: readonly string[]): Promise<RunResult> {
    const { env, cwd } = this.stack.command([]);
    return run([join(__dirname, "../../../bin/homeport"), ...args, "--stack", "prod"], { cwd, env });
  }

  async close(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await this.site.close();
  }
}
