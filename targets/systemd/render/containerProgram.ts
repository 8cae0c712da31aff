import type { HostPlan } from "../plan";
import { volumeFolder, volumePath } from "./names";
import type { Place } from "./place";
import { raw, settingPath, type Word } from "./unitText";

/** Path of podman or docker, put in by the host. All options below are read by both. */
export const engine = "@@container@@";

/** Containers of one app see each other, and no other app's. */
export const network = (plan: HostPlan): string => `homeport-${plan.id}`;

export interface ContainerRun {
  /** Name on the host; may hold `%i`. */
  readonly name: string;
  /** Names of variables, taken from the environment that the engine's client is started with: no value is in argv. */
  readonly variables: readonly string[];
  /** Whether the port of the instance (`$PORT` of the unit) is published. */
  readonly publish: boolean;
  /** Shell text instead of the image's own program. */
  readonly shell?: string;
  /** More options, such as `--interactive`. */
  readonly options?: readonly Word[];
}

/** The command line that runs a place's image. */
export function containerRun(plan: HostPlan, place: Place, run: ContainerRun): readonly Word[] {
  const { service } = place;
  if (!("image" in service.code)) throw new Error(`${plan.app}.${service.name} is no image.`);
  const port = service.containerPort;
  return [
    raw(engine),
    "run",
    "--rm",
    raw(`--name=${run.name}`),
    `--network=${network(plan)}`,
    // The engine's client hands all output to the unit, whose journal it goes to; a second copy would grow unseen.
    "--log-driver=none",
    "--pull=missing",
    ...privileges,
    ...limits(place),
    ...(run.publish && port !== undefined ? [raw(`--publish=127.0.0.1:\${PORT}:${port}`)] : []),
    ...(port === undefined ? [] : [`--env=PORT=${port}`]),
    ...run.variables.filter((name) => name !== "PORT").map((name) => `--env=${name}`),
    ...service.secretFiles.flatMap((file) => secretFile(place, file.variable, file.rewritten)),
    ...service.volumes.map(({ path }) => `--volume=${settingPath(volumeFolder(plan, path))}:${volumePath(path)}`),
    ...(run.options ?? []),
    ...(run.shell === undefined ? [service.code.image] : ["--entrypoint=/bin/sh", service.code.image, "-c", run.shell]),
  ];
}

/** What entry points need that start as root, give folders to their user and become that user; no more. */
const privileges: readonly string[] = [
  "--cap-drop=ALL",
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"].map((name) => `--cap-add=${name}`),
  "--security-opt=no-new-privileges",
  "--pids-limit=1024",
];

/** Half of the memory may be shared memory: browsers crash with the engines' 64 MiB. */
function limits({ service }: Place): readonly string[] {
  return [
    `--memory=${service.memoryMib}m`,
    `--cpu-shares=${Math.max(2, Math.round(service.cpus * 1024))}`,
    `--shm-size=${Math.max(64, Math.floor(service.memoryMib / 2))}m`,
  ];
}

function secretFile(place: Place, variable: string, rewritten: boolean): readonly string[] {
  // One that is rewritten lies on a volume, and its variable is among the others.
  if (rewritten) return [];
  const inside = `/run/secrets/${variable}`;
  return [`--env=${variable}=${inside}`, `--volume=${place.credentials}/${variable}:${inside}:ro`];
}
