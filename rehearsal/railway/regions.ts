import type { ServiceConfig } from "./serviceConfig";
import type { View } from "./views/pages";

/** Where replicas run unless a service says otherwise. */
export const standardRegion = "us-west2";

/** The regions that a service's replicas run in, one for each replica. */
export function placesOf(config: ServiceConfig): string[] {
  const { multiRegionConfig, numReplicas = 1, region = standardRegion } = config.deploy ?? {};
  const places = Object.entries(multiRegionConfig ?? {}).flatMap(([name, one]) =>
    one === null ? [] : Array<string>(one.numReplicas ?? 1).fill(name),
  );
  return places.length > 0 ? places : Array<string>(numReplicas).fill(region);
}

/** https://docs.railway.com/reference/deployment-regions: the region's name, and where that is. */
export const regions: Readonly<
  Record<string, { readonly id: string; readonly country: string; readonly location: string }>
> = {
  [standardRegion]: { id: "sfo", country: "US", location: "US West (California, USA)" },
  "us-east4-eqdc4a": { id: "iad", country: "US", location: "US East (Virginia, USA)" },
  "europe-west4-drams3a": { id: "ams", country: "NL", location: "EU West (Amsterdam, Netherlands)" },
  "asia-southeast1-eqsg3a": { id: "sin", country: "SG", location: "Southeast Asia (Singapore)" },
};

export const viewRegions = (): View[] =>
  Object.entries(regions).map(([name, { id, country, location }]) => ({
    id,
    name,
    region: name,
    country,
    location,
    workspaceId: null,
    deploymentConstraints: null,
  }));
