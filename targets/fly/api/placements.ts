import type { FlyGroup } from "../plan";
import type { Fly } from "./fly";

/** How many more machines of a kind a region has room for. */
export interface Placement {
  readonly region: string;
  readonly count: number;
}

/** Asks where a group's machines, with their volumes, would fit; nothing is reserved (Machines API, PlacementsRequest). */
export async function placementsFor(
  fly: Fly,
  { config, volume }: Pick<FlyGroup, "config" | "volume">,
  count: number,
): Promise<Placement[]> {
  const body = {
    org_slug: fly.connection.org,
    compute: config.guest,
    count,
    ...(volume === undefined ? {} : { volume_size_bytes: volume.sizeGb * 1024 ** 3 }),
  };
  const options = { body, idempotent: true, deadline: fly.deadline(20, "the room in Fly's regions to be told") };
  return (await fly.call<{ regions?: Placement[] | null }>("POST", "/platform/placements", options)).regions ?? [];
}
