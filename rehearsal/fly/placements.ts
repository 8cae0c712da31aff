import type { Handler } from "./operation";
import type { Region } from "./state";
import { requireOrg } from "./tokens";

/** Some of https://fly.io/docs/reference/regions/, each with room for plenty. */
export const regions = (): Region[] =>
  Object.entries({
    iad: "Ashburn, Virginia (US)",
    dfw: "Dallas, Texas (US)",
    ord: "Chicago, Illinois (US)",
    sjc: "San Jose, California (US)",
    fra: "Frankfurt, Germany",
    ams: "Amsterdam, Netherlands",
    lhr: "London, United Kingdom",
    syd: "Sydney, Australia",
  }).map(([code, name]) => ({ code, name, capacity: 100 }));

export const listRegions: Handler = ({ world }) => ({
  status: 200,
  body: {
    nearest: world.state.regions[0]?.code,
    regions: world.state.regions.map(({ code, name, capacity }) => ({
      code,
      name,
      latitude: 0,
      longitude: 0,
      gateway_available: true,
      requires_paid_plan: false,
      deprecated: false,
      capacity,
      geo_region: "",
      mpg_available: ["iad", "dfw", "fra", "ord", "lhr", "syd"].includes(code),
    })),
  },
});

/** How many machines would fit in each region that is asked about. */
export const getPlacements: Handler = ({ world, token, body }) => {
  const wanted = body as { org_slug: string; region?: string; count?: number };
  requireOrg(world, token, wanted.org_slug);
  const codes = wanted.region?.split(",") ?? world.state.regions.map((region) => region.code);
  const found = world.state.regions
    .filter((region) => codes.includes(region.code) || codes.includes("any"))
    .map(({ code, capacity }) => ({
      region: code,
      count: Math.min(capacity, wanted.count === undefined || wanted.count === 0 ? 50 : wanted.count),
      concurrency: 10,
    }))
    .filter((placement) => placement.count > 0);
  return { status: 200, body: { regions: found } };
};
