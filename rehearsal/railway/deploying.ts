import type { Container } from "../platform/runtime";
import { containerOf } from "./containers";
import { placesOf, standardRegion } from "./regions";
import { provided, rendered } from "./rendering";
import { healthOf, replicaIn, secondsOf, start, stopReplicas } from "./replicas";
import type { ServiceConfig } from "./serviceConfig";
import { BuildFailure, makeImage } from "./sources";
import type { Commit, Deployment, Instance } from "./state";
import { enter, isOver } from "./status";
import { changed, deploymentsOf, enqueue, instanceKey, instanceOf, newId, nextNumber, type World } from "./world";

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

/** Ends a deployment that isn't over yet as soon as it can be. */
export function cancel(world: World, deployment: Deployment): void {
  deployment.isCancelled = true;
  changed(world, deployment);
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
    const container = containerOf(world, deployment, { id, index: nextNumber(world), region }, command);
    const code = await runOnce(world, deployment, container).catch((error: unknown) => {
      world.logs.add(deployment, "deploy", error instanceof Error ? error.message : String(error), "error");
      return 127;
    });
    await world.runtime.remove(id);
    if (deployment.isCancelled) return true; // Who asks for it next sees that.
    if (code === 0) continue;
    world.logs.add(deployment, "deploy", `pre-deploy command failed with exit code ${code}`, "error");
    enter(world, deployment, "FAILED");
    return false;
  }
  return true;
}

/** Starts a container and waits for its end, which comes at once when its deployment is cancelled. Returns its exit code. */
async function runOnce(world: World, deployment: Deployment, container: Container): Promise<number> {
  const { changes, runtime } = world;
  const look = (): void => {
    if (deployment.isCancelled) void runtime.stop(container.id, { signal: "SIGTERM", timeoutMs: 1_000 });
  };
  const end = new Promise<number>((resolve) => {
    changes.once(`exit:${container.id}`, resolve);
  });
  changes.on("deployment", look);
  try {
    await runtime.start(container);
    look();
    return await end;
  } finally {
    changes.off("deployment", look);
  }
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
