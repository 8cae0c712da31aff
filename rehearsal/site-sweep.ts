import { rmSync } from "node:fs";
import { join } from "node:path";
import { removeAws } from "./aws/aws";
import { withLock } from "./host/cache";
import { removeGroup } from "./host/cgroup";
import { removeMachine } from "./host/machine";
import { tearDownNetwork } from "./host/network";
import type { SiteState } from "./site-state";
import { lives, readState, siteIds, sitesFolder } from "./site-state";

/** What `sweep` may be told. */
export interface SweepOptions {
  /** Also remove the sites that were to be kept. Default: only what runs left that have ended. */
  readonly all?: boolean;
  /** Where the sites lie. Default: `.homeport/rehearsal` of this checkout. */
  readonly folder?: string;
}

/** What `sweep` did. */
export interface Swept {
  /** The sites removed. */
  readonly removed: readonly string[];
  /** The sites left alone because a process that still runs owns them. */
  readonly busy: readonly { readonly id: string; readonly pid: number }[];
}

/** The lock under which sites are made, swept and taken over. */
export const sitesLock = (folder: string): string => join(folder, ".lock");

/** Removes all that a site's state names. What is already gone is no error. */
export async function removeSite(folder: string, state: SiteState): Promise<void> {
  await Promise.all(state.machines.map(removeMachine));
  if (state.emulator !== undefined) await removeGroup(state.emulator.unit);
  if (state.aws !== undefined) await removeAws(state.aws);
  if (state.fly !== undefined) await removeGroup(state.fly.unit);
  if (state.railway !== undefined) await removeGroup(state.railway.unit);
  if (state.render !== undefined) await removeGroup(state.render.unit);
  if (state.network !== undefined) await tearDownNetwork(state.network);
  rmSync(join(folder, state.id), { recursive: true, force: true });
}

/**
 * Removes what rehearsal runs left that ended without closing their sites, however they ended. Run it before a rehearsal
 * and, with `all`, to take everything down. Sites of a run that is still going stay.
 */
export async function sweep(options: SweepOptions = {}): Promise<Swept> {
  const folder = options.folder ?? sitesFolder;
  const removed: string[] = [];
  const busy: { id: string; pid: number }[] = [];
  const failures: unknown[] = [];
  if (siteIds(folder).length === 0) return { removed, busy };
  await withLock(sitesLock(folder), async () => {
    for (const id of siteIds(folder)) {
      const state = readState(folder, id);
      if (state === undefined) {
        // Sites are made under this lock, state first: a folder without one belongs to nobody.
        rmSync(join(folder, id), { recursive: true, force: true });
        removed.push(id);
      } else if (lives(state.owner)) {
        if (!state.keep || options.all === true) busy.push({ id, pid: state.owner.pid });
      } else if (!state.keep || options.all === true) {
        // One that can't be removed is told of once the others are.
        await removeSite(folder, state).then(
          () => removed.push(id),
          (error: unknown) => failures.push(error),
        );
      }
    }
  });
  if (failures.length > 0) throw failures[0];
  return { removed, busy };
}
