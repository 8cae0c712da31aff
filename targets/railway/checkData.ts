import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { checkArchives } from "../systemd/check";
import { keptOf, kindsOf } from "./databases";
import type { RailwaySettings } from "./settings";

/** Railway saves volumes as a whole and uploads nothing: whoever wants it so says it. */
export function checkBackups({ declaration: { name, databases } }: ResolvedApp, settings: RailwaySettings): Problem[] {
  if (settings.ownBackups.includes(name)) return [];
  return databases.flatMap((database) => {
    if (!("backup" in database)) return [];
    const { engine, backup } = database;
    if (engine === "postgres" && backup.to === undefined) return [];
    return [
      {
        where: `${name}.${database.name}.backup`,
        what:
          backup.to === undefined
            ? "It is to be saved by itself, and Railway saves the volume that it is on."
            : `Its copies are to go to ${backup.to.name}, and Railway uploads none.`,
        why: `Railway keeps snapshots of its volume next to it: ${keptOf(kindsOf(backup))}.`,
        fix: `if that is enough: pulumi config set --path 'railway:ownBackups[${settings.ownBackups.length}]' ${name}`,
      },
    ];
  });
}

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
