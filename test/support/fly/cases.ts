import type { FlyAppPlan, FlyGroup, FlySpec } from "../../../targets/fly/plan";
import { planOf } from "../../unit/fly/plans";

/** A change of one of the documented apps: from what, if anything, to what. */
export interface Change {
  readonly before?: FlySpec;
  readonly now: FlySpec;
}

/** Whether a call is about the record of a deploy, which is for people alone. */
export const isRecord = (path: string): boolean => path.startsWith("/api/v1/releases");

const inApps = (spec: FlySpec, change: (app: FlyAppPlan) => FlyAppPlan): FlySpec => ({
  ...spec,
  apps: spec.apps.map(change),
});
const inGroups = (spec: FlySpec, change: (group: FlyGroup) => FlyGroup): FlySpec =>
  inApps(spec, (app) => ({ ...app, groups: app.groups.map(change) }));

/** The group web with so many machines more. */
export const scaled = (spec: FlySpec, by: number): FlySpec =>
  inGroups(spec, (group) => (group.name === "web" ? { ...group, count: group.count + by } : group));

/** All volumes with so many gigabytes more. */
export const grown = (spec: FlySpec, by: number): FlySpec =>
  inGroups(spec, (group) =>
    group.volume === undefined ? group : { ...group, volume: { ...group.volume, sizeGb: group.volume.sizeGb + by } },
  );

/** Every secret that was given with another value. */
export const withOtherSecrets = (spec: FlySpec): FlySpec =>
  inApps(spec, (app) => ({
    ...app,
    secrets: Object.fromEntries(
      Object.entries(app.secrets).map(([name, value]) => [name, value.startsWith("marker-") ? `${value}-2` : value]),
    ),
  }));

const plans = new Map<string, Promise<FlySpec>>();

/** The plan of an app in its first version: the same object each time, so that what leads there is done once. */
function first(app: string): Promise<FlySpec> {
  const known = plans.get(app) ?? planOf(app, "1");
  plans.set(app, known);
  return known;
}
const changed = async (app: string, change: (spec: FlySpec) => FlySpec): Promise<Change> => {
  const before = await first(app);
  return { before, now: change(before) };
};
const next = async (app: string): Promise<Change> => ({
  before: await first(app),
  now: withOtherSecrets(await planOf(app, "2")),
});

/** What kills and faults are tried in: what Fly has of each app is different, and so are its calls. */
export const changes: Readonly<Record<string, () => Promise<Change>>> = {
  "hotrod's first deploy": async () => ({ now: await first("hotrod") }),
  "hotrod's new version with new secrets": () => next("hotrod"),
  "a third machine of hotrod": () => changed("hotrod", (spec) => scaled(spec, 1)),
  "larger volumes of hotrod": () => changed("hotrod", (spec) => grown(spec, 10)),
  "tileshop's first deploy": async () => ({ now: await first("tileshop") }),
  "tileshop's new version with new secrets": () => next("tileshop"),
  "one machine of tileshop fewer": () => changed("tileshop", (spec) => scaled(spec, -1)),
  "larger volumes of tileshop": () => changed("tileshop", (spec) => grown(spec, 10)),
};
