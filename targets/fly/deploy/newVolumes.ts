import type { Volume } from "../api/types";
import { createVolume } from "../api/volumes";
import type { FlyAppPlan } from "../plan";
import type { Run } from "./run";
import type { Steps } from "./steps";
import { volumeName } from "./tags";

/**
 * Makes the volumes that lack, before anything else: they are the likeliest not to be had.
 * @returns their ids by name
 */
export async function makeVolumes(
  run: Run,
  app: FlyAppPlan,
  steps: Steps,
  known: readonly Volume[],
): Promise<ReadonlyMap<string, string>> {
  const made = new Map<string, string>();
  for (const { group, slots } of steps.groups) {
    const { volume, name, config } = group;
    for (const step of slots) {
      if (volume === undefined || step.volume !== undefined) continue;
      const wanted = volumeName(name, step.slot);
      const { id } = await createVolume(
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
        known.filter((one) => one.name === wanted).map((one) => one.id),
      );
      made.set(wanted, id);
      run.changed(`${app.name}: volume ${id} (${wanted}, ${volume.sizeGb} GB)`);
    }
  }
  return made;
}
