import { join } from "node:path";
import { planAws, startAws, type Aws } from "./aws/aws";
import { openDocker, type Docker } from "./docker/docker";
import { openFly, planFly, type Fly } from "./fly/fly";
import { withLock } from "./host/cache";
import { addDisk, type Disk } from "./host/disks";
import { bootHost, type Host } from "./host/host";
import { planMachine, removeMachine, running, type Machine } from "./host/machine";
import type { Network } from "./host/network";
import type { Suite } from "./host/recipe";
import { ensureRoot } from "./host/root";
import type { Log } from "./host/run";
import type { PlatformPlan } from "./platform/process";
import { openRailway, planRailway, type Railway } from "./railway/railway";
import { openRender, planRender, type Render } from "./render/render";
import { ensureMoto, planEmulator, startMoto, type S3 } from "./s3/moto";
import { writeState, type SiteState } from "./site-state";
import { removeSite, sitesLock } from "./site-sweep";
import type { Watch } from "./site-watch";

/** What a host may be given. */
export interface HostOptions {
  /** Its disk in bytes, kept in memory, so that it can be filled. Default: as much as the checkout's file system has. */
  readonly diskSize?: number;
  /** Default: trixie, Debian 13. */
  readonly suite?: Suite;
  /** Disks besides its own, there from its first boot on; `Host.attach` gives it one later. See `makeDisk`. */
  readonly disks?: readonly Disk[];
}

/** A network of its own on this machine, with hosts and an S3 emulator in it. */
export interface Site {
  readonly id: string;
  /** The site's own files. */
  readonly folder: string;
  /** This machine's address in the site's network: servers that listen on it are reached by the hosts. */
  readonly gateway: string;
  /** The host of that name, booted now if it isn't there. */
  host(name: string, options?: HostOptions): Promise<Host>;
  /** The names of the hosts that were asked for so far. */
  hostNames(): readonly string[];
  /** The S3 emulator, started now if it isn't there. */
  s3(): Promise<S3>;
  /** AWS, where instances are hosts of this site, started now if it isn't there. What it stores isn't the S3 emulator's. */
  aws(): Promise<Aws>;
  /** Fly.io, whose machines are containers in a host of this site, started now if it isn't there. */
  fly(): Promise<Fly>;
  /** The Docker Engine that images are built by, started now if it isn't there. Pushes to Fly's registry reach the emulator. */
  docker(): Promise<Docker>;
  /** Railway, whose services are containers in a host of this site, started now if it isn't there. */
  railway(): Promise<Railway>;
  /** Render, whose services are containers in a host of this site, started now if it isn't there. */
  render(): Promise<Render>;
  /** Ends and removes everything. */
  close(): Promise<void>;
}

export type ReadyState = SiteState & Required<Pick<SiteState, "network">>;

/** The platforms whose containers run in a host of the site, which has the platform's name. */
type PlatformName = "fly" | "railway" | "render";

/** A site that this process has opened. */
export class OpenSite implements Site {
  readonly id: string;
  readonly folder: string;
  readonly gateway: string;
  private readonly starting = new Map<string, Promise<unknown>>();

  constructor(
    private readonly sites: string,
    private state: ReadyState,
    private readonly log: Log,
    private readonly watcher: Watch | undefined,
  ) {
    this.id = state.id;
    this.folder = join(sites, state.id);
    this.gateway = state.network.gateway;
  }

  private record(change: Partial<SiteState>): void {
    this.state = { ...this.state, ...change };
    writeState(this.sites, this.state);
  }

  host(name: string, options: HostOptions = {}): Promise<Host> {
    return this.once(`host ${name}`, () => this.boot(name, options));
  }

  private async boot(name: string, { diskSize, suite, disks = [] }: HostOptions): Promise<Host> {
    const { tag, network } = this.state;
    let machine = this.state.machines.find((one) => one.name === name);
    if (machine === undefined) {
      const root = await ensureRoot({ log: this.log, ...(suite === undefined ? {} : { suite }) });
      const index = Math.max(-1, ...this.state.machines.map((one) => Number(one.address.split(".")[3]) - 10)) + 1;
      const folder = join(this.folder, "hosts", name);
      machine = planMachine({
        name,
        index,
        tag,
        network,
        folder,
        root,
        ...(diskSize === undefined ? {} : { diskSize }),
      });
      this.record({ machines: [...this.state.machines, machine] });
      for (const disk of disks) await addDisk(folder, disk);
    }
    const planned = machine;
    if (!running(planned)) this.log(`booting the host ${name} at ${planned.address}`);
    const host = await bootHost({ machine: planned, network });
    return {
      ...host,
      stop: async () => {
        await removeMachine(planned);
        this.starting.delete(`host ${name}`);
        this.record({ machines: this.state.machines.filter((one) => one !== planned) });
      },
    };
  }

  hostNames(): readonly string[] {
    return this.state.machines.map((machine) => machine.name);
  }

  /** Starts a part of the site unless it runs or is on its way. One that failed is tried again when it is asked for again. */
  private once<T>(part: string, start: () => Promise<T>): Promise<T> {
    const known = this.starting.get(part);
    // Each part has one caller, so that what was kept under its name is what that one starts.
    if (known !== undefined) return known as Promise<T>;
    const started = start();
    this.starting.set(part, started);
    started.catch(() => this.starting.delete(part));
    return started;
  }

  /** Boots a platform's host and plans its emulator, if that wasn't done. */
  private async platform(
    name: PlatformName,
    plan: (tag: string, network: Network, folder: string) => Promise<PlatformPlan>,
  ): Promise<{ plan: PlatformPlan; machine: Machine; network: Network }> {
    const { tag, network } = this.state;
    await this.host(name);
    const machine = this.state.machines.find((one) => one.name === name)!;
    const planned = this.state[name] ?? (await plan(tag, network, join(this.folder, name)));
    this.record({ [name]: planned });
    return { plan: planned, machine, network };
  }

  s3(): Promise<S3> {
    return this.once("s3", async () => {
      await ensureMoto(this.log);
      const unit = `homeport-${this.state.tag}.s3`;
      const emulator = this.state.emulator ?? (await planEmulator(unit, this.gateway, join(this.folder, "s3")));
      this.record({ emulator });
      return startMoto(emulator, this.log);
    });
  }

  aws(): Promise<Aws> {
    return this.once("aws", async () => {
      const { tag, network } = this.state;
      const root = await ensureRoot({ log: this.log });
      const aws = this.state.aws ?? (await planAws(tag, network, join(this.folder, "aws")));
      this.record({ aws });
      return startAws(aws, root, this.log);
    });
  }

  fly(): Promise<Fly> {
    return this.once("fly", async () => {
      const [s3, { plan, ...place }] = await Promise.all([this.s3(), this.platform("fly", planFly)]);
      return openFly(plan, { ...place, s3 }, this.log);
    });
  }

  railway(): Promise<Railway> {
    return this.once("railway", async () => {
      const [s3, { plan, ...place }] = await Promise.all([this.s3(), this.platform("railway", planRailway)]);
      return openRailway(plan, { ...place, s3 }, this.log);
    });
  }

  render(): Promise<Render> {
    return this.once("render", async () => {
      const { plan, ...place } = await this.platform("render", planRender);
      return openRender(plan, place, this.log);
    });
  }

  async docker(): Promise<Docker> {
    // Where Fly's machines run the images lie that Dockerfiles begin with.
    const [fly, host] = await Promise.all([this.fly(), this.host("fly")]);
    return openDocker(host, { "registry.fly.io": fly.registry });
  }

  async close(): Promise<void> {
    // What is still booting is let boot: it would be made while it is being removed.
    await Promise.allSettled(this.starting.values());
    await withLock(sitesLock(this.sites), () => removeSite(this.sites, this.state));
    this.watcher?.end();
  }
}
