import { Cron } from "croner";
import { planOf } from "./plans";
import { regions } from "./regions";
import type { ServiceConfig } from "./serviceConfig";
import type { Instance } from "./state";
import { refuse, type World } from "./world";

/** A cron service starts at most every so many minutes: https://docs.railway.com/reference/cron-jobs */
const leastMinutes = 5;

/** Railway's schedules have five fields and are in UTC. */
export function readCron(schedule: string): Cron {
  if (schedule.trim().split(/\s+/).length !== 5) throw refuse(`Invalid cron expression: ${schedule}`);
  let cron;
  try {
    cron = new Cron(schedule, { timezone: "UTC", paused: true, legacyMode: true });
  } catch {
    throw refuse(`Invalid cron expression: ${schedule}`);
  }
  const times = cron.nextRuns(60, new Date(Date.UTC(2026, 0, 1)));
  const isTooOften = times.some((time, index) => {
    const before = times[index - 1];
    return before !== undefined && time.getTime() - before.getTime() < leastMinutes * 60_000;
  });
  if (isTooOften) throw refuse(`Cron schedule must be at least ${leastMinutes} minutes apart: ${schedule}`);
  return cron;
}

/** How many replicas a service is to have. */
export function replicasOf({ deploy = {} }: ServiceConfig): number {
  const regional = Object.values(deploy.multiRegionConfig ?? {}).filter((one) => one !== null);
  return regional.length === 0
    ? (deploy.numReplicas ?? 1)
    : regional.reduce((sum, one) => sum + (one.numReplicas ?? 1), 0);
}

const atLeast = (name: string, least: number, value: number | undefined): void => {
  if (value !== undefined && value < least) throw refuse(`${name} must be at least ${least}`);
};

/** Refuses what Railway refuses of a service's settings. `hasVolume`: whether a volume is mounted in it. */
export function checkService(world: World, instance: Instance, config: ServiceConfig, hasVolume: boolean): void {
  const { source = {}, deploy = {} } = config;
  const plan = planOf(world, world.state.services[instance.serviceId]!.projectId);
  const { cronSchedule, multiRegionConfig, numReplicas, region, limitOverride } = deploy;
  if (source.image !== undefined && source.repo !== undefined)
    throw refuse("A service has an image or a repo, not both");
  for (const name of [...Object.keys(multiRegionConfig ?? {}), ...(region === undefined ? [] : [region])])
    if (!Object.hasOwn(regions, name)) throw refuse(`Region not found: ${name}`);
  atLeast("numReplicas", 1, numReplicas);
  for (const one of Object.values(multiRegionConfig ?? {})) atLeast("numReplicas", 1, one?.numReplicas);
  atLeast("healthcheckTimeout", 1, deploy.healthcheckTimeout);
  atLeast("restartPolicyMaxRetries", 1, deploy.restartPolicyMaxRetries);
  atLeast("vCPUs", 0.1, limitOverride?.containers?.cpu);
  atLeast("memoryGB", 0.1 * 1e9, limitOverride?.containers?.memoryBytes);
  const replicas = replicasOf(config);
  if (replicas > plan.replicas) throw refuse(`Your plan allows at most ${plan.replicas} replicas`);
  if (hasVolume && replicas > 1) throw refuse("A service with a volume cannot have multiple replicas");
  if (cronSchedule !== undefined) {
    readCron(cronSchedule);
    if (replicas > 1) throw refuse("A service with a cron schedule cannot have multiple replicas");
  }
  if (deploy.healthcheckPath?.startsWith("/") === false) throw refuse("healthcheckPath must start with a slash");
}
