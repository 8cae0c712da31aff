import { containerOf, isHealthy } from "./containers";
import { subjectOf } from "./sources";
import type { Deployment, Replica } from "./state";
import { enter } from "./status";
import { changed, nextNumber, type World } from "./world";

export function replicaIn(world: World, deployment: Deployment, region: string): Replica {
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

/** Whether nothing has become of a replica since its start was asked for. */
const hasStarted = ({ isUp, status }: Replica): boolean => isUp && status === "CREATED";

export async function start(world: World, deployment: Deployment, replica: Replica): Promise<void> {
  replica.stopRequested = false;
  try {
    if (world.faults.happens("startFailure", subjectOf(world, deployment)))
      throw new Error("The container failed to start: the rehearsal was told to let it fail");
    // Set first: a command may end before its start is reported.
    replica.isUp = true;
    replica.status = "CREATED";
    await world.runtime.start(containerOf(world, deployment, replica));
    if (hasStarted(replica)) replica.status = "RUNNING";
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
export async function healthOf(world: World, deployment: Deployment): Promise<"SUCCESS" | "FAILED" | "CRASHED"> {
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
export const secondsOf = (deployment: Deployment, variable: string, setting: number | undefined): number =>
  Number(deployment.variables[variable] ?? setting ?? 0);

export async function stopReplicas(world: World, deployment: Deployment, seconds: number): Promise<void> {
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
