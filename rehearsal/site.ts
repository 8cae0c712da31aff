import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./host/cache";
import { planNetwork, setUpNetwork } from "./host/network";
import type { Log } from "./host/run";
import { RehearsalError } from "./host/run";
import { machineNameservers } from "./host/seed";
import { ensureTools } from "./host/tools";
import { OpenSite, type ReadyState, type Site } from "./site-open";
import type { SiteState } from "./site-state";
import { lives, readState, sitesFolder, tagOf, thisProcess, writeState } from "./site-state";
import { removeSite, sitesLock } from "./site-sweep";
import { watch } from "./site-watch";

export type { HostOptions, Site } from "./site-open";
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
