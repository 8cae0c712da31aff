import { dataAddress } from "./dataServers";
import { instancesOf } from "./instances";
import type { World } from "./world";

/**
 * The private addresses behind a name of Render's private network, where services have their slugs and data services their
 * ids: none where it has none, undefined where the name isn't the platform's.
 */
export function lookUp(world: World, name: string): string[] | undefined {
  const { services } = world.state;
  const service = Object.values(services).find(({ slug }) => slug === name);
  if (service !== undefined)
    return instancesOf(world, service.id)
      .filter(({ isKept, isUp }) => isKept && isUp)
      .map(({ index }) => world.runtime.privateAddress(index));
  const data = dataAddress(world, name);
  if (data !== undefined) return [data];
  // Names without a dot are nobody else's.
  return name.includes(".") ? undefined : [];
}
