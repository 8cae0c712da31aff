import type { Named, VolumeInstance } from "../api/types";
import type { RailwaySpec } from "../plan";
import type { State } from "./state";

type Whose = Pick<RailwaySpec, "id">;

/** A bucket's name in the project, which all of its environments share. */
export const bucketName = ({ id }: Whose, name: string): string => `${id}-${name}`;

/** A volume's name in the project: finds it again when its service is gone. */
export const volumeName = ({ id }: Whose, service: string): string => `${id}-${service}`;

/** The project's services by the names that an app has for them. */
export interface Choice {
  /** Ids by name. */
  readonly services: ReadonlyMap<string, string>;
  /** Names that several services have, none of which is known to be the app's; their ids. */
  readonly doubtful: ReadonlyMap<string, readonly string[]>;
  /** What services of the app are called now, by the name that the app has for them. */
  readonly renamed: ReadonlyMap<string, string>;
}

/**
 * Which service each name means: Railway lets several have one. It is the one that was written down, as long as it is there;
 * else the only one of that name, or the only one that this environment has. Pure.
 * @param here ids of services that are in this environment
 */
export function chooseServices(
  listed: readonly Named[],
  state: State | undefined,
  here: { has(id: string): boolean },
): Choice {
  const services = new Map<string, string>();
  const doubtful = new Map<string, readonly string[]>();
  const renamed = new Map<string, string>();
  const recorded = new Map(Object.entries(state?.services ?? {}).map(([name, { id }]) => [name, id]));
  const others = new Set(recorded.values());
  for (const name of new Set([...recorded.keys(), ...listed.map((one) => one.name)])) {
    const own = listed.find(({ id }) => id === recorded.get(name));
    if (own !== undefined) {
      services.set(name, own.id);
      if (own.name !== name) renamed.set(name, own.name);
      continue;
    }
    const called = listed.filter((one) => one.name === name && !others.has(one.id)).map(({ id }) => id);
    const present = called.filter((id) => here.has(id));
    const [only, ...more] = present.length === 1 ? present : called;
    if (only === undefined) continue;
    if (more.length === 0) services.set(name, only);
    else doubtful.set(name, called);
  }
  return { services, doubtful, renamed };
}

/**
 * Volumes that an earlier service of that name has left: the one that is written down, where it is there, else all of its
 * name. Pure.
 */
export function leftBehind(
  whose: Whose,
  { volumes, state }: { readonly volumes: readonly VolumeInstance[]; readonly state: State | undefined },
  service: string,
): VolumeInstance[] {
  const detached = volumes.filter(({ serviceId }) => (serviceId ?? null) === null);
  const recorded = detached.find(({ volumeId }) => volumeId === state?.volumes?.[service]);
  return recorded === undefined
    ? detached.filter(({ volume }) => volume.name === volumeName(whose, service))
    : [recorded];
}
