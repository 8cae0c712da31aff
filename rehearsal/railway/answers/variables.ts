import type { Roots } from "../../platform/graphql";
import { environmentOf, findInstance } from "../access";
import { deployInstance } from "../instances";
import { provided, referencesOf, rendered, renderedShared } from "../rendering";
import type { VariableConfig } from "../serviceConfig";
import type { Environment, Instance, Token } from "../state";
import { isBuilding } from "../status";
import { deploymentsOf, refuse, type World } from "../world";

/** Reads the scalar EnvironmentVariables: text by name. */
export function readVariables(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse("variables must be an object");
  for (const [name, text] of Object.entries(value)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw refuse(`Invalid variable name: ${name}`);
    if (typeof text !== "string") throw refuse(`The value of variable ${name} must be a string`);
  }
  return value as Record<string, string>;
}

interface Place {
  readonly projectId: string;
  readonly environmentId: string;
  /** Without one: the environment's shared variables. */
  readonly serviceId?: string | null;
}

type Variables = Record<string, VariableConfig>;

/** What can be told of variables: sealed ones never are. */
const open = (variables: Readonly<Variables>): [string, string][] =>
  Object.entries(variables)
    .filter(([, { isSealed }]) => isSealed !== true)
    .map(([name, { value }]) => [name, value]);

/** The instances whose variables refer to some others. */
function dependents(world: World, environment: Environment, space: string, names: readonly string[]): Instance[] {
  return Object.values(world.state.instances).filter(
    (one) =>
      one.environmentId === environment.id &&
      Object.values(one.config.variables).some(({ value }) =>
        referencesOf(value).some((to) => to.space?.toLowerCase() === space.toLowerCase() && names.includes(to.name)),
      ),
  );
}

/** Deploys what was deployed before again, for its new variables. */
async function redeploy(world: World, instances: readonly Instance[]): Promise<void> {
  for (const instance of new Set(instances)) {
    const [latest] = deploymentsOf(world, instance.serviceId, instance.environmentId);
    if (latest === undefined) continue;
    if (isBuilding(latest))
      throw refuse("Cannot redeploy yet, please wait for the original deployment to finish building");
    await deployInstance(world, instance, {
      reason: "redeploy",
      commit: latest.commit,
      image: latest.image,
    });
  }
}

/** Variables of services, and those that services of an environment share. */
export function variables(world: World, token: Token): Roots {
  const find = ({ projectId, environmentId, serviceId }: Place): { environment: Environment; instance?: Instance } => {
    const environment = environmentOf(world, token, environmentId);
    if (environment.projectId !== projectId) throw refuse("Not Authorized", 403);
    return serviceId == null
      ? { environment }
      : { environment, instance: findInstance(world, token, serviceId, environmentId) };
  };
  const write = async (
    place: Place,
    names: readonly string[],
    change: (before: Variables) => Variables,
    isSilent: boolean,
  ): Promise<boolean> => {
    const { environment, instance } = find(place);
    if (instance === undefined) environment.sharedVariables = change(environment.sharedVariables);
    else instance.config = { ...instance.config, variables: change(instance.config.variables) };
    world.store.save();
    if (isSilent) return true;
    const space = instance === undefined ? "shared" : world.state.services[instance.serviceId]!.name;
    await redeploy(world, [
      ...(instance === undefined ? [] : [instance]),
      ...dependents(world, environment, space, names),
    ]);
    return true;
  };
  const kept = (before: Variables, given: Readonly<Record<string, string>>): Variables =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        { value, ...(before[name]?.isSealed === true ? { isSealed: true } : {}) },
      ]),
    );
  return {
    variables: (place: Place & { unrendered?: boolean | null }) => {
      const { environment, instance } = find(place);
      const own = instance?.config.variables ?? environment.sharedVariables;
      if (place.unrendered === true) return Object.fromEntries(open(own));
      const values =
        instance === undefined
          ? renderedShared(world, environment)
          : rendered(world, { environment, service: world.state.services[instance.serviceId]! });
      return Object.fromEntries(open(own).map(([name]) => [name, values[name] ?? ""]));
    },
    variablesForServiceDeployment: (place: Place & { serviceId: string }) => {
      const { environment, instance } = find(place);
      const scope = { environment, service: world.state.services[instance!.serviceId]! };
      const values = rendered(world, scope);
      return {
        ...Object.fromEntries(open(instance!.config.variables).map(([name]) => [name, values[name] ?? ""])),
        ...provided(world, scope),
      };
    },
    variableCollectionUpsert: ({
      input,
    }: {
      input: Place & { variables: unknown; replace?: boolean | null; skipDeploys?: boolean | null };
    }) => {
      const given = readVariables(input.variables);
      const change = (before: Variables): Variables => ({
        ...(input.replace === true ? {} : before),
        ...kept(before, given),
      });
      return write(input, Object.keys(given), change, input.skipDeploys === true);
    },
    variableUpsert: ({ input }: { input: Place & { name: string; value: string; skipDeploys?: boolean | null } }) => {
      const given = readVariables({ [input.name]: input.value });
      return write(
        input,
        [input.name],
        (before) => ({ ...before, ...kept(before, given) }),
        input.skipDeploys === true,
      );
    },
    variableDelete: ({ input }: { input: Place & { name: string } }) =>
      write(
        input,
        [input.name],
        (before) => Object.fromEntries(Object.entries(before).filter(([name]) => name !== input.name)),
        false,
      ),
  };
}
