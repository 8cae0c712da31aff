import { readCron } from "./checking";
import { containerOf } from "./containers";
import { placesOf, standardRegion } from "./regions";
import type { Deployment, Instance } from "./state";
import { changed, deploymentsOf, nextNumber, type World } from "./world";

/** Starts a cron service's command once, in a container of its own. */
export async function runCron(world: World, deployment: Deployment): Promise<void> {
  const index = nextNumber(world);
  const run: Deployment["runs"][number] = { id: `${deployment.id}-run${index}`, startedAt: world.clock.now() };
  deployment.runs = [...deployment.runs, run].slice(-100);
  changed(world, deployment);
  const [region = standardRegion] = placesOf(deployment.config);
  try {
    await world.runtime.start(containerOf(world, deployment, { id: run.id, index, region }));
  } catch (error) {
    world.logs.add(deployment, "deploy", error instanceof Error ? error.message : String(error), "error");
    cronEnded(world, deployment, run.id, 127);
  }
}

/** Writes down how a run ended. It isn't tried again before its time comes again. */
export function cronEnded(world: World, deployment: Deployment, id: string, code: number): void {
  const run = deployment.runs.find((one) => one.id === id);
  if (run?.endedAt !== undefined || run === undefined) return;
  run.endedAt = world.clock.now();
  run.code = code;
  world.logs.add(deployment, "deploy", `The run ended with exit code ${code}`, code === 0 ? "info" : "error");
  changed(world, deployment);
  void world.runtime.remove(id);
}

/** The deployment that a cron service's runs are of; undefined where it has none, or isn't one. */
export function cronDeployment(world: World, instance: Instance): Deployment | undefined {
  return deploymentsOf(world, instance.serviceId, instance.environmentId).find(
    (one) => one.isActive && one.status === "SUCCESS" && one.config.deploy?.cronSchedule !== undefined,
  );
}

/** Starts cron services when their time comes, in UTC. What was missed is never made up for. */
export class Scheduler {
  private readonly sweeper: NodeJS.Timeout;

  constructor(private readonly world: World) {
    // Times that passed while there was no emulator are missed.
    for (const instance of Object.values(world.state.instances)) delete instance.nextCronRunAt;
    this.sweeper = setInterval(() => {
      this.sweep();
    }, world.settings.sweepMs ?? 1_000);
    this.sweeper.unref();
  }

  private sweep(): void {
    const { world } = this;
    const now = world.clock.now();
    for (const instance of Object.values(world.state.instances)) {
      const deployment = cronDeployment(world, instance);
      if (deployment === undefined) {
        delete instance.nextCronRunAt;
        continue;
      }
      const due = instance.nextCronRunAt;
      const cron = readCron(deployment.config.deploy!.cronSchedule!);
      if (due === undefined || due <= now) {
        const next = cron.nextRun(new Date(now))?.getTime();
        if (next === undefined) delete instance.nextCronRunAt;
        else instance.nextCronRunAt = next;
      }
      if (due === undefined || due > now) continue;
      // One that still runs lets the next one be skipped: https://docs.railway.com/reference/cron-jobs
      if (deployment.runs.some(({ endedAt }) => endedAt === undefined))
        world.logs.add(deployment, "deploy", "Skipped: the run before is still active");
      else void runCron(world, deployment);
    }
  }

  close(): void {
    clearInterval(this.sweeper);
  }
}
