import type { Problem } from "../../../components/problems";
import { canonical, hash, keyedHash } from "../../hashes";
import type { DeploymentStatus, Instance, VolumeInstance } from "../api/types";
import type { InstanceSettings, RailwayService, RailwaySpec } from "../plan";
import { bucketName, leftBehind } from "./choose";
import type { Found } from "./look";
import type { RecordedService } from "./state";

/** What has to be done about one service. */
export interface Step {
  readonly service: RailwayService;
  /** Keyed hash of all that it is to be made of. */
  readonly spec: string;
  /** Hash of the settings that Railway doesn't tell again. */
  readonly settings: string;
  readonly recorded: RecordedService | undefined;
  /** The project's service of that name. */
  readonly id: string | undefined;
  readonly instance: Instance | undefined;
  readonly volume: VolumeInstance | undefined;
  /** Volumes that an earlier service of that name has left, where it has none now and wants one. */
  readonly left: readonly VolumeInstance[];
  readonly act: {
    readonly settings: boolean;
    readonly variables: boolean;
    /** Limits, backups and other settings that can't be read. */
    readonly unread: boolean;
    /** `resume` waits for a deployment that an earlier run has started. */
    readonly deploy: "none" | "start" | "resume";
  };
}

export const healthy = new Set<DeploymentStatus>(["SUCCESS", "SLEEPING"]);
export const underWay = new Set<DeploymentStatus>([
  "INITIALIZING",
  "QUEUED",
  "BUILDING",
  "DEPLOYING",
  "WAITING",
  "NEEDS_APPROVAL",
]);

/** Decides what to do. Pure. @param variables what is set, by the service's id */
export function planSteps(
  spec: RailwaySpec,
  found: Found,
  variables: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Step[] {
  return spec.services.map((service) => {
    const id = found.services.get(service.name);
    const instance = id === undefined ? undefined : found.instances.get(id);
    const known = found.state?.services[service.name];
    // The one that was written down is gone, and somebody has made another: what is recorded isn't true of that.
    const recorded = known !== undefined && known.id === id ? known : undefined;
    const hashes = { spec: specOf(spec, service), settings: unreadOf(service) };
    const differs = instance === undefined || !isSet(service, instance);
    const set = id === undefined ? undefined : variables.get(id);
    const varies = set === undefined || !isSame(service.variables, set);
    const unread = recorded?.settings !== hashes.settings;
    const changed = differs || varies || unread;
    const volume = id === undefined ? undefined : found.volumes.find(({ serviceId }) => serviceId === id);
    const isLacking = service.volume !== undefined && volume === undefined;
    return {
      service,
      ...hashes,
      recorded,
      id,
      instance,
      volume,
      left: isLacking ? leftBehind(spec, found, service.name) : [],
      act: {
        settings: differs,
        variables: varies,
        unread,
        deploy: changed ? "start" : deployOf(hashes.spec, recorded, instance),
      },
    };
  });
}

/** What there is to deploy where all settings and variables are as they should be. */
function deployOf(
  spec: string,
  recorded: RecordedService | undefined,
  instance: Instance | undefined,
): Step["act"]["deploy"] {
  const latest = instance?.latestDeployment ?? undefined;
  if (latest === undefined || recorded === undefined) return "start";
  const { pending } = recorded;
  if (pending?.spec === spec && pending.deployment === latest.id) {
    return healthy.has(latest.status) || underWay.has(latest.status) ? "resume" : "start";
  }
  const isAsRecorded = recorded.spec === spec && recorded.deployment === latest.id && healthy.has(latest.status);
  return isAsRecorded && latest.deploymentStopped !== true ? "none" : "start";
}

/** Services that a deploy left and that are declared no longer: name and id. */
export function surplus(spec: RailwaySpec, found: Found): [string, string][] {
  const names = new Set(spec.services.map(({ name }) => name));
  return Object.entries(found.state?.services ?? {}).flatMap(([name, { id }]) =>
    names.has(name) || !found.instances.has(id) ? [] : [[name, id]],
  );
}

/** A hash of all that a service is made of, with the variables of those that it refers to. */
function specOf({ pepper, services }: RailwaySpec, service: RailwayService): string {
  const text = Object.values(service.variables).join("\n");
  const referred = services.filter(({ name }) => name !== service.name && text.includes(`\${{${name}.`));
  const { source, settings, variables, limits, volume, tcpPort } = service;
  return keyedHash(pepper, [
    source,
    settings,
    variables,
    limits,
    volume?.path ?? null,
    tcpPort ?? null,
    referred.map((other) => other.variables),
  ]);
}

const unreadOf = ({ settings, limits, volume, tcpPort }: RailwayService): string =>
  hash([settings.multiRegionConfig ?? null, limits, volume?.backups ?? null, tcpPort ?? null]);

function isSame(wanted: Readonly<Record<string, string>>, set: Readonly<Record<string, string>>): boolean {
  // Railway's own are told along with them in some answers.
  const own = Object.entries(set).filter(([name]) => !name.startsWith("RAILWAY_") || name in wanted);
  return canonical(wanted) === canonical(Object.fromEntries(own));
}

const bare = (path: string | null | undefined): string | null => (path ?? "").replace(/^\.?\/+|\/+$/g, "") || null;
const listed = (commands: unknown): unknown[] =>
  commands === null || commands === undefined ? [] : Array.isArray(commands) ? (commands as unknown[]) : [commands];

/** Whether an instance has a service's source and settings, as far as Railway tells them. */
export function isSet({ source, settings }: RailwayService, instance: Instance): boolean {
  const { image = null, repo = null } = instance.source ?? {};
  const isSource = "image" in source ? image === source.image : repo === source.repo;
  return isSource && differences(settings, instance).length === 0;
}

/** Names of the settings that aren't as they should be. */
export function differences(wanted: InstanceSettings, is: Instance): string[] {
  const pairs: Readonly<Record<string, readonly [unknown, unknown]>> = {
    rootDirectory: [bare(wanted.rootDirectory), bare(is.rootDirectory)],
    dockerfilePath: [bare(wanted.dockerfilePath), bare(is.dockerfilePath)],
    startCommand: [wanted.startCommand, is.startCommand ?? null],
    preDeployCommand: [wanted.preDeployCommand.join("\n"), listed(is.preDeployCommand).join("\n")],
    healthcheckPath: [wanted.healthcheckPath, is.healthcheckPath ?? null],
    healthcheckTimeout: [wanted.healthcheckTimeout, is.healthcheckTimeout ?? null],
    cronSchedule: [wanted.cronSchedule, is.cronSchedule ?? null],
    restartPolicyType: [wanted.restartPolicyType, is.restartPolicyType],
    restartPolicyMaxRetries: [wanted.restartPolicyMaxRetries, is.restartPolicyMaxRetries],
    numReplicas: wanted.numReplicas === undefined ? [0, 0] : [wanted.numReplicas, is.numReplicas ?? 1],
    overlapSeconds: [wanted.overlapSeconds, is.overlapSeconds ?? 0],
    drainingSeconds: [wanted.drainingSeconds, is.drainingSeconds ?? 0],
    sleepApplication: [wanted.sleepApplication, is.sleepApplication ?? false],
  };
  return Object.entries(pairs).flatMap(([name, [one, other]]) => (one === other ? [] : [name]));
}

/** Names that don't say for certain which service is the app's, or which bucket; told before anything is changed. */
export function doubts({ services, buckets, id }: RailwaySpec, found: Found): Pick<Problem, "what" | "fix">[] {
  const named = services.flatMap(({ name }) => {
    const [several, now] = [found.doubtful.get(name), found.renamed.get(name)];
    if (several !== undefined) {
      return [
        {
          what: `There are ${several.length} services called ${name}: ${several.join(", ")}.`,
          fix: `rename or delete those at railway.com that aren't the app's ${name}`,
        },
      ];
    }
    if (now === undefined) return [];
    return [
      { what: `The app's ${name} is called ${now} now.`, fix: `name it ${name} again in its settings at railway.com` },
    ];
  });
  const shared = buckets.flatMap(({ name }) => {
    const called = found.buckets.filter((one) => one.name === bucketName({ id }, name));
    if (called.length <= 1) return [];
    return [
      {
        what: `There are ${called.length} buckets called ${bucketName({ id }, name)}: ${called.map((one) => one.id).join(", ")}.`,
        fix: "rename or delete the one at railway.com that no service's variables name",
      },
    ];
  });
  return [...named, ...shared];
}

/** What can't be had from what is there; told before anything is changed. */
export function refusals(steps: readonly Step[]): Pick<Problem, "what" | "fix">[] {
  return steps.flatMap(({ service, recorded, volume, left, instance }) => {
    const { name, volume: wanted, source, role } = service;
    const problems: Pick<Problem, "what" | "fix">[] = [];
    if (left.length > 1) {
      problems.push({
        what: `${left.length} volumes may hold the data of ${name}: ${left.map(({ volumeId }) => volumeId).join(", ")}.`,
        fix: `look into them at railway.com, and rename those that ${name} isn't to have`,
      });
    }
    if (wanted !== undefined && recorded?.volumeMb !== undefined && wanted.sizeMb < recorded.volumeMb) {
      problems.push({
        what: `The volume of ${name} is to shrink from ${recorded.volumeMb} to ${wanted.sizeMb} MB, and Railway's volumes only grow.`,
        fix: `declare ${recorded.volumeMb} MB again, or move the data to a new service`,
      });
    }
    const is = instance?.source?.image ?? undefined;
    if (role === "database" && volume !== undefined && is !== undefined && "image" in source) {
      const [from, to] = [majorOf(is), majorOf(source.image)];
      if (from !== undefined && to !== undefined && from !== to && /postgres|pgvector/.test(source.image)) {
        problems.push({
          what: `${name} is to go from Postgres ${from} to ${to}, which can't read the other's files.`,
          fix: `keep ${is}, or dump and restore into a new database`,
        });
      }
    }
    return problems;
  });
}

/** `17` of `postgres:17.2` and of `pgvector:pg17`. */
const majorOf = (image: string): string | undefined => /:(?:pg|v)?(\d+)[^:/]*$/.exec(image)?.[1];
