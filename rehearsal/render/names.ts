import { instancesOf } from "./instances";
import type { World } from "./world";

/**
 * The private addresses behind a name of Render's private network, where services have their slugs and data services their
 * ids: none where it has none, undefined where the name isn't the platform's.
 */
export function lookUp(world: World, name: string): string[] | undefined {
  const { services, postgres, keyValues } = world.state;
  const service = Object.values(services).find(({ slug }) => slug === name);
  if (service !== undefined)
    return instancesOf(world, service.id)
      .filter(({ isKept, isUp }) => isKept && isUp)
      .map(({ index }) => world.runtime.privateAddress(index));
  const database = postgres[name];
  if (database !== undefined) return addressOf(world.settings.postgres?.address(database));
  const keyValue = keyValues[name];
  if (keyValue !== undefined) return addressOf(world.settings.keyValue?.address(keyValue));
  // Names without a dot are nobody else's.
  return name.includes(".") ? undefined : [];
}

const addressOf = (address: string | undefined): string[] => (address === undefined ? [] : [address]);
