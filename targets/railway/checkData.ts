import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import type { OwnBackups } from "../containers/checkBackups";
import { checkArchives } from "../systemd/check";
import { keptOf, kindsOf } from "./databases";
import type { RailwaySettings } from "./settings";

/** Railway saves volumes as a whole. */
export const ownBackups = ({ ownBackups: enoughFor }: RailwaySettings): OwnBackups => ({
  platform: "Railway",
  key: "railway:ownBackups",
  enoughFor,
  ownTimes: "It is to be saved by itself, and Railway saves the volume that it is on.",
  kept: (_database, backup) => `Railway keeps snapshots of its volume next to it: ${keptOf(kindsOf(backup))}.`,
});

/** What of an archive Railway's own buckets, or the stack's S3 service, can't give. */
export function checkBuckets(app: ResolvedApp, settings: RailwaySettings): Problem[] {
  if (settings.archives === "s3") return checkArchives(app);
  const { name, buckets } = app.declaration;
  return buckets.flatMap((bucket) => {
    const asked = [
      ...(bucket.coldAfter === undefined ? [] : ["moves old objects to cold storage"]),
      ...(bucket.expireAfter === undefined ? [] : ["deletes old objects"]),
      ...((app.settings.buckets[bucket.name] ?? bucket.existing) === undefined ? [] : ["exists already"]),
    ];
    if (asked.length === 0) return [];
    return [
      {
        where: `${name}.${bucket.name}`,
        what: `It ${asked.join(" and ")}, which Railway's own buckets don't.`,
        fix: "pulumi config set railway:archives s3",
      },
    ];
  });
}
