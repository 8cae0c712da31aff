import { containerOf, isHealthy } from "./containers";
import { provided, rendered } from "./rendering";
import { BuildFailure, makeImage, subjectOf } from "./sources";
import type { Commit, Deployment, DeploymentStatus, Instance, Replica, ServiceConfig } from "./state";
import { changed, deploymentsOf, enqueue, instanceKey, instanceOf, newId, nextNumber } from "./world";
import type { World } from "./world";

/** Where replicas run unless a service says otherwise. */
export const standardRegion = "us-west2";

/** The regions that a service's replicas run in, one for each replica. */
export function placesOf(config: ServiceConfig): string[] {
  const { multiRegionConfig, numReplicas = 1, region = standardRegion } = config.deploy ?? {};
  const places = Object.entries(multiRegionConfig ?? {}).flatMap(([name, one]) =>
    one === null ? [] : Array<string>(one.numReplicas ?? 1).fill(name),
  );
  return places.length > 0 ? places : Array<string>(numReplicas).fill(region);
}

/** Whether a deployment's image isn't there yet. */
export const isBuilding = ({ status }: Deployment): boolean => ["QUEUED", "INITIALIZING", "BUILDING"].includes(status);

const isOver = ({ status }: Deployment): boolean => ["FAILED", "CRASHED", "REMOVED", "SKIPPED"].includes(status);

export function enter(world: World, deployment: Deployment, status: DeploymentStatus): void {
  deployment.status = status;
  deployment.statusUpdatedAt = world.clock.now();
  changed(world, deployment);
}

/** What a deployment is made of, where it isn't the instance's present state. */
export interface DeployOptions {
  readonly reason?: Deployment["reason"];
  readonly commit?: Commit | undefined;
  /** An image that is there already: nothing is built then. */
  readonly image?: string | undefined;
  readonly config?: ServiceConfig;
  /** Whether its watch patterns leave the commit out. */
  readonly isSkipped?: boolean;
}

/** Deploys a service in an environment, after what of it is under way. */
export function deploy(world: World, instance: Instance, options: DeployOptions = {}): Deployment {
  const { serviceId, environmentId } = instance;
  const now = world.clock.now();
  const { reason = "deploy", commit, image, config = instance.config, isSkipped = false } = options;
  const deployment: Deployment = {
    id: newId(),
    projectId: world.state.services[serviceId]!.projectId,
    environmentId,
    serviceId,
    snapshotId: newId(),
    reason,
    status: isSkipped ? "SKIPPED" : "QUEUED",
    config: structuredClone(config),
    ...(commit === undefined ? {} : { commit }),
    ...(image === undefined ? {} : { image }),
    variables: {},
    replicas: [],
    runs: [],
    isCancelled: false,
    isActive: false,
    createdAt: now,
    updatedAt: now,
    statusUpdatedAt: now,
  };
  world.state.deployments[deployment.id] = deployment;
  changed(world, deployment);
  if (!isSkipped) void enqueue(world, instanceKey(serviceId, environmentId), () => run(world, deployment));
  return deployment;
}

/** Takes a deployment from its queue to where it serves or has failed. */
export async function run(world: World, deployment: Deployment): Promise<void> {
  await world.clock.sleep(world.timings.queue);
  if (ended(world, deployment)) return;
  const { serviceId, environmentId } = deployment;
  const service = world.state.services[serviceId];
  const environment = world.state.environments[environmentId];
  if (service === undefined || environment === undefined || instanceOf(world, serviceId, environmentId) === undefined)
    return;
  const scope = { environment, service, deployment };
  deployment.variables = { ...provided(world, scope), ...rendered(world, scope, deployment.config.variables) };
  if (deployment.image === undefined) {
    enter(world, deployment, "BUILDING");
    await world.clock.sleep(world.timings.build);
    try {
      deployment.image = await makeImage(world, deployment);
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      for (const line of error.message.split("\n")) world.logs.add(deployment, "build", line, "error");
      enter(world, deployment, "FAILED");
      return;
    }
  }
  if (ended(world, deployment)) return;
  enter(world, deployment, "DEPLOYING");
  await world.clock.sleep(world.timings.deploy);
  if (!(await prepare(world, deployment)) || ended(world, deployment)) return;
  await switchOver(world, deployment);
}

/** Whether nothing is to be done for a deployment any more: it was cancelled or removed meanwhile. */
function ended(world: World, deployment: Deployment): boolean {
  if (deployment.isCancelled && !isOver(deployment)) enter(world, deployment, "REMOVED");
  return isOver(deployment);
}

/** Runs the commands before the start, one after the other, in containers of their own. Whether all went well. */
async function prepare(world: World, deployment: Deployment): Promise<boolean> {
  const { preDeployCommand = [] } = deployment.config.deploy ?? {};
  for (const [number, command] of [preDeployCommand].flat().entries()) {
    if (command.trim() === "") continue;
    const id = `${deployment.id}-pre${number}`;
    world.logs.add(deployment, "deploy", `Starting pre-deploy command: ${command}`);
    const [region = standardRegion] = placesOf(deployment.config);
    const code = await runOnce(world, id, () =>
      world.runtime.start(containerOf(world, deployment, { id, index: nextNumber(world), region }, command)),
    ).catch((error: unknown) => {
      world.logs.add(deployment, "deploy", error instanceof Error ? error.message : String(error), "error");
      return 127;
    });
    await world.runtime.remove(id);
    if (code === 0) continue;
    world.logs.add(deployment, "deploy", `pre-deploy command failed with exit code ${code}`, "error");
    enter(world, deployment, "FAILED");
    return false;
  }
  return true;
}

/** Starts a container and waits for its end. */
async function runOnce(world: World, id: string, start: () => Promise<void>): Promise<number> {
  const end = new Promise<number>((resolve) => {
    world.changes.once(`exit:${id}`, resolve);
  });
  await start();
  return end;
}

/** Starts a deployment's containers, waits for their health and puts them in the place of the ones before. */
async function switchOver(world: World, deployment: Deployment): Promise<void> {
  const { serviceId, environmentId, config } = deployment;
  const before = deploymentsOf(world, serviceId, environmentId).filter(
    (one) => one !== deployment && ["SUCCESS", "CRASHED"].includes(one.status),
  );
  const activate = (): void => {
    deployment.isActive = true;
    deployment.succeededAt = world.clock.now();
    enter(world, deployment, "SUCCESS");
  };
  if (config.deploy?.cronSchedule !== undefined) {
    activate(); // It runs when its time comes.
    for (const one of before) void retire(world, one);
    return;
  }
  const hasVolume = Object.values(world.state.volumeInstances).some(
    (one) => one.serviceId === serviceId && one.environmentId === environmentId && one.deletedAt === undefined,
  );
  // A volume is mounted once at any time: the service is away meanwhile.
  if (hasVolume) await Promise.all(before.map((one) => retire(world, one)));
  deployment.replicas = placesOf(config).map((region) => replicaIn(world, deployment, region));
  await Promise.all(deployment.replicas.map((replica) => start(world, deployment, replica)));
  const outcome = await healthOf(world, deployment);
  if (outcome === "SUCCESS") {
    activate();
    for (const one of before) void retire(world, one);
    return;
  }
  await stopReplicas(world, deployment, 0);
  if (deployment.isCancelled) enter(world, deployment, "REMOVED");
  else enter(world, deployment, outcome);
}

function replicaIn(world: World, deployment: Deployment, region: string): Replica {
  const index = nextNumber(world);
  return {
    id: `${deployment.id}-${index}`,
    region,
    index,
    status: "CREATED",
    restarts: 0,
    isUp: false,
    isSick: world.faults.happens("unhealthy", subjectOf(world, deployment)),
    stopRequested: false,
  };
}

async function start(world: World, deployment: Deployment, replica: Replica): Promise<void> {
  replica.stopRequested = false;
  try {
    if (world.faults.happens("startFailure", subjectOf(world, deployment)))
      throw new Error("The container failed to start: the rehearsal was told to let it fail");
    // Set first: a command may end before its start is reported.
    replica.isUp = true;
    replica.status = "RUNNING";
    await world.runtime.start(containerOf(world, deployment, replica));
    world.logs.add(deployment, "deploy", "Starting Container");
  } catch (error) {
    replica.isUp = false;
    replica.status = "CRASHED";
    world.logs.add(deployment, "deploy", error instanceof Error ? error.message : String(error), "error");
  }
  changed(world, deployment);
}

/** Seconds until a health check is given up, unless a service says otherwise: https://docs.railway.com/guides/healthchecks */
const standardHealthSeconds = 300;

/** Waits until a deployment's containers are well, or have given up. */
async function healthOf(world: World, deployment: Deployment): Promise<"SUCCESS" | "FAILED" | "CRASHED"> {
  const { config, replicas } = deployment;
  const { healthcheckPath, healthcheckTimeout } = config.deploy ?? {};
  // Without a check, what was started is a success, even if it ends a moment later.
  if (healthcheckPath === undefined) return replicas.some(({ status }) => status === "CRASHED") ? "CRASHED" : "SUCCESS";
  const own = Number(
    deployment.variables["RAILWAY_HEALTHCHECK_TIMEOUT_SEC"] ?? healthcheckTimeout ?? standardHealthSeconds,
  );
  const until = world.clock.now() + Math.min(own * 1000, world.settings.healthcheckMs ?? Infinity);
  world.logs.add(deployment, "build", `Starting Healthcheck. Path: ${healthcheckPath}`);
  for (;;) {
    if (deployment.isCancelled) return "FAILED";
    if (replicas.some(({ status }) => status === "CRASHED")) return "CRASHED";
    const well = await Promise.all(replicas.map((replica) => isHealthy(world, deployment, replica)));
    if (well.every(Boolean)) {
      world.logs.add(deployment, "build", "Healthcheck succeeded!");
      return "SUCCESS";
    }
    if (world.clock.now() >= until) break;
    world.logs.add(deployment, "build", "Attempt failed with service unavailable. Continuing to retry", "error");
    await world.clock.sleep(world.timings.check);
  }
  world.logs.add(deployment, "build", "Healthcheck failed!", "error");
  return "FAILED";
}

/** A deployment's seconds by its variable or its setting; 0 without either. */
const secondsOf = (deployment: Deployment, variable: string, setting: number | undefined): number =>
  Number(deployment.variables[variable] ?? setting ?? 0);

async function stopReplicas(world: World, deployment: Deployment, seconds: number): Promise<void> {
  const runs = deployment.runs.filter((one) => one.endedAt === undefined).map(({ id }) => id);
  for (const replica of deployment.replicas) replica.stopRequested = true;
  const how = { signal: "SIGTERM", timeoutMs: seconds * 1000 };
  const running = deployment.replicas.filter(({ isUp }) => isUp).map(({ id }) => id);
  await Promise.all([...running, ...runs].map((id) => world.runtime.stop(id, how)));
  await Promise.all(deployment.replicas.map(({ id }) => world.runtime.remove(id)));
  for (const replica of deployment.replicas) {
    replica.isUp = false;
    replica.status = "REMOVED";
  }
}

/** Takes a deployment that another one replaces, or nobody wants, out of service. */
export async function retire(world: World, deployment: Deployment): Promise<void> {
  if (["REMOVING", "REMOVED"].includes(deployment.status)) return;
  const { overlapSeconds, drainingSeconds } = deployment.config.deploy ?? {};
  enter(world, deployment, "REMOVING");
  const overlap = secondsOf(deployment, "RAILWAY_DEPLOYMENT_OVERLAP_SECONDS", overlapSeconds);
  await world.clock.sleep(world.timings.remove + overlap * 1000);
  deployment.isActive = false;
  await stopReplicas(world, deployment, secondsOf(deployment, "RAILWAY_DEPLOYMENT_DRAINING_SECONDS", drainingSeconds));
  enter(world, deployment, "REMOVED");
}

/** Stops a deployment's containers and starts them again. */
export async function restart(world: World, deployment: Deployment): Promise<void> {
  for (const replica of deployment.replicas) {
    replica.stopRequested = true;
    if (replica.isUp) await world.runtime.stop(replica.id, { signal: "SIGTERM", timeoutMs: 3_000 });
    replica.isUp = false;
    replica.restarts = 0;
    await start(world, deployment, replica);
  }
  if (deployment.status === "CRASHED") enter(world, deployment, "SUCCESS");
}

function startsAgain(deployment: Deployment, replica: Replica, code: number): boolean {
  const { restartPolicyType = "ON_FAILURE", restartPolicyMaxRetries = 10 } = deployment.config.deploy ?? {};
  if (restartPolicyType === "ALWAYS") return true;
  return restartPolicyType === "ON_FAILURE" && code !== 0 && replica.restarts < restartPolicyMaxRetries;
}

/** Acts on the end of a replica's command: starts it again, or takes it as over. */
export function commandEnded(world: World, deployment: Deployment, replica: Replica, code: number): void {
  if (!replica.isUp) return;
  replica.isUp = false;
  if (replica.stopRequested) return; // Who asked for it goes on.
  world.logs.add(deployment, "deploy", `The command ended with exit code ${code}`, code === 0 ? "info" : "error");
  if (startsAgain(deployment, replica, code)) {
    replica.restarts += 1;
    replica.status = "RESTARTING";
    changed(world, deployment);
    void world.clock.sleep(world.timings.restart).then(async () => {
      if (!replica.stopRequested && replica.status === "RESTARTING") await start(world, deployment, replica);
    });
    return;
  }
  replica.status = code === 0 ? "EXITED" : "CRASHED";
  if (code !== 0 && deployment.status === "SUCCESS") enter(world, deployment, "CRASHED");
  else changed(world, deployment);
}
