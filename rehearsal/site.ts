import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Aws } from "./aws/aws";
import { planAws, startAws } from "./aws/aws";
import { openDocker, type Docker } from "./docker/docker";
import { withLock } from "./host/cache";
import { addDisk, type Disk } from "./host/disks";
import { openFly, planFly, type Fly } from "./fly/fly";
import type { Host } from "./host/host";
import { bootHost } from "./host/host";
import { planMachine, removeMachine, running } from "./host/machine";
import { planNetwork, setUpNetwork } from "./host/network";
import type { Suite } from "./host/recipe";
import { ensureRoot } from "./host/root";
import type { Log } from "./host/run";
import { RehearsalError } from "./host/run";
import { machineNameservers } from "./host/seed";
import { ensureTools } from "./host/tools";
import { openRailway, planRailway, type Railway } from "./railway/railway";
import { openRender, planRender, type Render } from "./render/render";
import type { S3 } from "./s3/moto";
import { ensureMoto, planEmulator, startMoto } from "./s3/moto";
import type { SiteState } from "./site-state";
import { lives, readState, sitesFolder, tagOf, thisProcess, writeState } from "./site-state";
import { removeSite, sitesLock } from "./site-sweep";
import type { Watch } from "./site-watch";
import { watch } from "./site-watch";

export { RehearsalError } from "./host/run";
export type { Host } from "./host/host";
export type { Disk } from "./host/disks";
export { growDisk, makeDisk } from "./host/disks";
export type { AdoptableInstance, Aws, InstanceHost } from "./aws/aws";
export type { Docker } from "./docker/docker";
export type { Fly } from "./fly/fly";
export type { Railway } from "./railway/railway";
export type { Render } from "./render/render";
export type { S3 } from "./s3/moto";
export { sweep } from "./site-sweep";

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

/** What `openSite` may be told. */
export interface SiteOptions {
  readonly log: Log;
  /** Default: a random one. */
  readonly id?: string;
  /** Whether it stays when this process ends, for `reopenSite` to find. Default: no, the next `sweep` removes it. */
  readonly keep?: boolean;
  /** Where its state and disks lie. Default: `.homeport/rehearsal` of this checkout. */
  readonly folder?: string;
}

/** The host that Fly.io's machines run in. */
const flyHost = "fly";
/** The host that Railway's services run in. */
const railwayHost = "railway";

/** The host that Render's services run in. */
const renderHost = "render";

type ReadyState = SiteState & Required<Pick<SiteState, "network">>;

class OpenSite implements Site {
  readonly id: string;
  readonly folder: string;
  readonly gateway: string;
  private readonly booting = new Map<string, Promise<Host>>();
  private starting: Promise<S3> | undefined;
  private cloud: Promise<Aws> | undefined;
  private flying: Promise<Fly> | undefined;
  private railroading: Promise<Railway> | undefined;
  private rendering: Promise<Render> | undefined;

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
    const known = this.booting.get(name);
    if (known !== undefined) return known;
    const booted = this.boot(name, options);
    this.booting.set(name, booted);
    booted.catch(() => this.booting.delete(name));
    return booted;
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
        this.booting.delete(name);
        this.record({ machines: this.state.machines.filter((one) => one !== planned) });
      },
    };
  }

  hostNames(): readonly string[] {
    return this.state.machines.map((machine) => machine.name);
  }

  s3(): Promise<S3> {
    this.starting ??= this.startS3();
    return this.starting;
  }

  private async startS3(): Promise<S3> {
    await ensureMoto(this.log);
    const unit = `homeport-${this.state.tag}.s3`;
    const emulator = this.state.emulator ?? (await planEmulator(unit, this.gateway, join(this.folder, "s3")));
    this.record({ emulator });
    return startMoto(emulator, this.log);
  }

  aws(): Promise<Aws> {
    this.cloud ??= this.startCloud();
    return this.cloud;
  }

  private async startCloud(): Promise<Aws> {
    const { tag, network } = this.state;
    const root = await ensureRoot({ log: this.log });
    const aws = this.state.aws ?? (await planAws(tag, network, join(this.folder, "aws")));
    this.record({ aws });
    return startAws(aws, root, this.log);
  }

  fly(): Promise<Fly> {
    this.flying ??= this.startFly();
    return this.flying;
  }

  private async startFly(): Promise<Fly> {
    const { tag, network } = this.state;
    const [s3] = await Promise.all([this.s3(), this.host(flyHost)]);
    const machine = this.state.machines.find((one) => one.name === flyHost)!;
    const fly = this.state.fly ?? (await planFly(tag, network, join(this.folder, "fly")));
    this.record({ fly });
    return openFly(fly, { machine, network, s3 }, this.log);
  }

  railway(): Promise<Railway> {
    this.railroading ??= this.startRailway();
    return this.railroading;
  }

  private async startRailway(): Promise<Railway> {
    const { tag, network } = this.state;
    const [s3] = await Promise.all([this.s3(), this.host(railwayHost)]);
    const machine = this.state.machines.find((one) => one.name === railwayHost)!;
    const railway = this.state.railway ?? (await planRailway(tag, network, join(this.folder, "railway")));
    this.record({ railway });
    return openRailway(railway, { machine, network, s3 }, this.log);
  }

  render(): Promise<Render> {
    this.rendering ??= this.startRender();
    return this.rendering;
  }

  private async startRender(): Promise<Render> {
    const { tag, network } = this.state;
    await this.host(renderHost);
    const machine = this.state.machines.find((one) => one.name === renderHost)!;
    const render = this.state.render ?? (await planRender(tag, network, join(this.folder, "render")));
    this.record({ render });
    return openRender(render, { machine, network }, this.log);
  }

  async docker(): Promise<Docker> {
    // Where Fly's machines run the images lie that Dockerfiles begin with.
    const [fly, host] = await Promise.all([this.fly(), this.host(flyHost)]);
    return openDocker(host, { "registry.fly.io": fly.registry });
  }

  async close(): Promise<void> {
    // What is still booting is let boot: it would be made while it is being removed.
    await Promise.allSettled([
      ...this.booting.values(),
      this.starting,
      this.cloud,
      this.flying,
      this.railroading,
      this.rendering,
    ]);
    await withLock(sitesLock(this.sites), () => removeSite(this.sites, this.state));
    this.watcher?.end();
  }
}

/** Opens a new site: its network at once, its hosts and emulators as they are asked for. */
export async function openSite(options: SiteOptions): Promise<Site> {
  const { log, keep = false, folder = sitesFolder, id = randomBytes(4).toString("hex") } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(id)) {
    throw new RehearsalError(
      `"${id}" can't be a rehearsal site's id: use 1 to 40 lower-case letters, digits and inner hyphens.`,
    );
  }
  await ensureTools(log);
  mkdirSync(folder, { recursive: true });
  const tag = tagOf(folder, id);
  return withLock(sitesLock(folder), async () => {
    if (readState(folder, id) !== undefined) {
      throw new RehearsalError(
        `A rehearsal site named "${id}" is there already, in ${join(folder, id)}: \`make down\` removes it.`,
      );
    }
    const bare: SiteState = { version: 1, id, tag, owner: thisProcess(), keep, machines: [] };
    const state: ReadyState = { ...bare, network: await planNetwork(tag, machineNameservers()) };
    writeState(folder, state);
    const watcher = keep ? undefined : watch(folder);
    try {
      await setUpNetwork(state.network);
    } catch (error) {
      await removeSite(folder, state);
      watcher?.end();
      throw error;
    }
    return new OpenSite(folder, state, log, watcher);
  });
}

/**
 * Takes over a site that was to be kept, with what runs in it and what of it has stopped meanwhile, as after this
 * machine's own restart. undefined when there is none of that id; throws while the run that opened it is still going.
 */
export async function reopenSite(id: string, options: Pick<SiteOptions, "log" | "folder">): Promise<Site | undefined> {
  const { log, folder = sitesFolder } = options;
  if (readState(folder, id) === undefined) return undefined;
  await ensureTools(log);
  return withLock(sitesLock(folder), async () => {
    const state = readState(folder, id);
    if (state?.network === undefined) return undefined;
    if (lives(state.owner)) {
      throw new RehearsalError(
        `Process ${state.owner.pid} is using the rehearsal site "${id}": wait for its end, or end it.`,
      );
    }
    const owned: ReadyState = { ...state, network: state.network, owner: thisProcess() };
    writeState(folder, owned);
    await setUpNetwork(owned.network);
    const site = new OpenSite(folder, owned, log, undefined);
    await Promise.all(owned.machines.map((machine) => site.host(machine.name)));
    return site;
  });
}
