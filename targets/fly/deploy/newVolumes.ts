import type { Volume } from "../api/types";
import { createVolume, deleteVolume, listVolumes, volumeOf } from "../api/volumes";
import type { FlyAppPlan } from "../plan";
import type { Run } from "./run";
import type { Steps } from "./steps";
import { volumeName } from "./tags";
import { firstWords } from "./undo";

/** Volumes that a deploy makes, and which of them machines have had. */
export class NewVolumes {
  private readonly ids = new Map<string, string>();
  private readonly own = new Set<string>();
  private readonly used = new Set<string>();

  /** @param isOwn whether this run made it */
  add(name: string, id: string, isOwn: boolean): void {
    this.ids.set(name, id);
    if (isOwn) this.own.add(id);
  }

  /** The id of a slot's volume. */
  get(name: string): string | undefined {
    return this.ids.get(name);
  }

  /** For one that a machine is being made with. */
  use(id: string): void {
    this.used.add(id);
  }

  /** For one that came to no machine, as Fly refused to make that. */
  unuse(id: string): void {
    this.used.delete(id);
  }

  /** For one that is deleted. */
  forget(id: string): void {
    this.own.delete(id);
  }

  /** Deletes those without a machine: they are billed, and tie the next deploy to a host that may have no room. */
  async remove(run: Run, app: string): Promise<void> {
    for (const id of this.own) {
      if (this.used.has(id)) continue;
      try {
        const volume = await volumeOf(run.fly, app, id);
        if (volume === undefined || (volume.attached_machine_id ?? "") !== "") continue;
        await deleteVolume(run.fly, app, id);
        run.tell(`${app}: volume ${id} removed, which no machine has had`);
      } catch (error) {
        if (run.isEnding()) throw error;
        run.tell(`${app}: volume ${id} stays, though no machine has had it: ${firstWords(error)}`);
      }
    }
  }
}

/** Makes the volumes that lack, before anything else: they are the likeliest not to be had. */
export async function makeVolumes(
  run: Run,
  app: FlyAppPlan,
  steps: Steps,
  { known, fresh }: { readonly known: readonly Volume[]; readonly fresh: NewVolumes },
): Promise<void> {
  const made: Volume[] = [];
  for (const { group, slots } of steps.groups) {
    const { volume, name, config } = group;
    for (const step of slots) {
      if (volume === undefined || step.volume !== undefined) continue;
      const wanted = volumeName(name, step.slot);
      const one = await createVolume(
        run.fly,
        app.name,
        {
          name: wanted,
          region: app.region,
          size_gb: volume.sizeGb,
          encrypted: true,
          snapshot_retention: volume.snapshotDays,
          auto_backup_enabled: true,
          // Puts it on a host that has room for the machine, too.
          compute: config.guest,
          compute_image: config.image,
        },
        known.filter((other) => other.name === wanted).map(({ id }) => id),
      );
      made.push(one);
      fresh.add(wanted, one.id, true);
      run.changed(`${app.name}: volume ${one.id} (${wanted}, ${volume.sizeGb} GB)`);
    }
  }
  if (made.length > 0) await preferOlder(run, app.name, made, { known, fresh });
}

/**
 * Takes older volumes in the place of those that were made: one of another deploy at the same time, or of a run that was cut off,
 * which no list told of at first. Whichever deploy is second to make a machine with it is refused that by Fly.
 */
async function preferOlder(
  run: Run,
  app: string,
  made: readonly Volume[],
  { known, fresh }: { readonly known: readonly Volume[]; readonly fresh: NewVolumes },
): Promise<void> {
  const listed = await listVolumes(run.fly, app);
  for (const own of made) {
    const others = listed.filter(({ id, name }) => name === own.name && !known.some((one) => one.id === id));
    const [oldest] = [own, ...others.filter(({ id }) => id !== own.id)].sort(byAge);
    if (oldest === undefined || oldest.id === own.id) continue;
    fresh.add(own.name, oldest.id, false);
    fresh.forget(own.id);
    await deleteVolume(run.fly, app, own.id);
    run.changed(`${app}: volume ${oldest.id} was there already; ${own.id} is removed, which no machine has had`);
  }
}

const byAge = (a: Volume, b: Volume): number =>
  (a.created_at ?? "").localeCompare(b.created_at ?? "") || (a.id < b.id ? -1 : 1);
