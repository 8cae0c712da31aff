import type { Bucket } from "../../../components/declaration";
import type { Problem } from "../../../components/problems";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { checkArchives } from "../../systemd/check";
import type { FlySettings } from "../settings";

/** A bucket that exists is used where it is. */
export const isTigris = (
  app: Pick<ResolvedApp, "settings">,
  settings: Pick<FlySettings, "objectStore">,
  bucket: Bucket,
): boolean =>
  settings.objectStore === "tigris" && app.settings.buckets[bucket.name] === undefined && bucket.existing === undefined;

/** What keeps an app's buckets from being made where the stack has them. */
export function checkBuckets(app: ResolvedApp, settings: FlySettings): Problem[] {
  const { buckets, name } = app.declaration;
  const sold = buckets.filter((bucket) => isTigris(app, settings, bucket));
  const aged = sold.filter(({ coldAfter, expireAfter }) => coldAfter !== undefined || expireAfter !== undefined);
  return [
    ...(sold.length < buckets.length ? checkArchives(app) : []),
    ...aged.map((bucket) => ({
      where: `${name}.${bucket.name}`,
      what: "Its objects are to get cold or expire by age, which Homeport doesn't set up at Tigris.",
      fix: "pulumi config set fly:objectStore s3",
    })),
  ];
}
