import type { HostPlan, PlannedRelease, PlannedService } from "../plan";
import { settingPath } from "./unitText";

/** The two places that a service's versions take turns in. */
export type Slot = "a" | "b";
export const slots: readonly Slot[] = ["a", "b"];

/** Programs of the host that units call. */
export const tools = "/usr/local/lib/homeport";
export const unitFolder = "/etc/systemd/system";

export const unitFile = (unit: string): string => `${unitFolder}/${unit}`;
/** The app's folder of settings: root's alone. */
export const config = (plan: HostPlan, path: string): string => `/etc/homeport/${plan.id}/${path}`;
export const slice = (plan: HostPlan): string => `${plan.id}.slice`;

export const instanceName = (plan: HostPlan, service: PlannedService, slot: Slot): string =>
  `${plan.id}-${service.name}-${slot}`;
export const serviceUnit = (plan: HostPlan, service: PlannedService, slot: Slot): string =>
  `${instanceName(plan, service, slot)}@.service`;
export const releaseUnit = (plan: HostPlan, service: PlannedService, slot: Slot): string =>
  `${plan.id}-release-${service.name}-${slot}.service`;
export const jobUnit = (plan: HostPlan, job: string): string => `${plan.id}-job-${job}`;
export const backupUnit = (plan: HostPlan, database: string): string => `${plan.id}-backup-${database}`;
export const redisUnit = (plan: HostPlan, database: string): string => `${plan.id}-redis-${database}.service`;

/** Replaced on the host by the loopback port given to a key. */
export const portToken = (key: string): string => `@@port:${key}@@`;
export const instancePort = (service: PlannedService, slot: Slot, instance: number): string =>
  `${service.name}/${slot}/${instance}`;
/** 1 to the number of instances. */
export const instances = (service: PlannedService): number[] =>
  Array.from({ length: service.instances }, (_, i) => i + 1);

/** The service that a job, command or database names. */
export function serviceNamed(plan: HostPlan, name: string): PlannedService {
  const service = plan.services.find((s) => s.name === name);
  if (service === undefined)
    throw new Error(`The plan of "${plan.id}" names the service "${name}", which it hasn't got.`);
  return service;
}

/** Folder on the host of a volume that a service sees at `path`. Services with the same path share it. */
export const volumeFolder = (plan: HostPlan, path: string): string =>
  `/var/lib/${plan.id}/${path.replace(/^\/+|\/+$/g, "").replace(/\/+/g, "-")}`;

/** The path of a volume as a unit may bind it: not in folders that are root's alone or the kernel's. */
export function volumePath(path: string): string {
  if (!["", "root", "proc", "sys", "dev"].includes(path.split("/")[1] ?? "")) return settingPath(path);
  throw new Error(`A volume can't be at "${path}", which is the system's own: choose another path, such as /data.`);
}

/** A file or folder below one of the service's volumes, the innermost if they are nested, as the host sees it. */
export function hostPath(plan: HostPlan, service: PlannedService, path: string): string {
  const volumes = service.volumes.map((volume) => volume.path.replace(/\/$/, ""));
  const [volume] = volumes
    .filter((one) => path === one || path.startsWith(`${one}/`))
    .sort((one, other) => other.length - one.length);
  if (volume === undefined) {
    throw new Error(
      `"${path}" of ${plan.app}.${service.name} lies below none of its volumes, so it would be lost: declare one there.`,
    );
  }
  return volumeFolder(plan, volume) + path.slice(volume.length);
}

/** The release that a service runs from; undefined for images. */
export const releaseOf = (service: PlannedService): PlannedRelease | undefined =>
  "image" in service.code ? undefined : service.code;

/** Where a secret file lies that the app may rewrite, as the app sees it. */
export function rewrittenPath(plan: HostPlan, service: PlannedService, variable: string): string {
  const volume = service.volumes[0];
  if (volume === undefined) {
    throw new Error(
      `${variable} of ${plan.app}.${service.name} is a file that the app rewrites, and the service has no volume to keep it on: declare one.`,
    );
  }
  return `${volume.path.replace(/\/$/, "")}/.secrets/${variable}`;
}
