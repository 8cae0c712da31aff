import { searchDomain } from "./containers";
import { privateDomain } from "./rendering";
import { deploymentsOf, type World } from "./world";

/**
 * The private addresses behind `<service>.railway.internal`, asked with the domain that an environment's containers look
 * names up in first: none where it has none, undefined where the name isn't the platform's. Railway's are IPv6, these
 * IPv4. https://docs.railway.com/reference/private-networking
 */
export function lookUp(world: World, asked: string): string[] | undefined {
  const { state } = world;
  const environment = Object.values(state.environments).find(({ id }) => asked.endsWith(`.${searchDomain(id)}`));
  if (environment === undefined) return /\.(?:rehearsal|railway\.internal)$/.test(asked) ? [] : undefined;
  const name = asked.slice(0, -searchDomain(environment.id).length - 1);
  if (environment.privateNetworkDisabled === true) return [];
  return Object.values(state.services)
    .filter((one) => one.projectId === environment.projectId && privateDomain(one) === name)
    .flatMap(({ id }) => deploymentsOf(world, id, environment.id))
    .filter(({ status }) => ["SUCCESS", "DEPLOYING"].includes(status))
    .flatMap(({ replicas }) => replicas)
    .filter(({ isUp }) => isUp)
    .map(({ index }) => world.runtime.privateAddress(index));
}
