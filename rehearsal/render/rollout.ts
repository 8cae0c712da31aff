import { awaitHealthy } from "./health";
import { fullReference } from "./images";
import { instancesOf, launch, removeInstance, runOnce, snapshotOf } from "./instances";
import { diskOf } from "./serviceView";
import type { Deploy, DeployStatus, Instance, Service } from "./state";
import { Closed, newId, pause, subjectOf, type World } from "./world";

/** States that a deploy doesn't leave by itself. */
export const settled: readonly DeployStatus[] = [
  ...(["live", "deactivated", "build_failed", "pre_deploy_failed", "update_failed", "canceled"] as const),
];

/** A service's deploys, newest first. */
export const deploysOf = (world: World, serviceId: string): Deploy[] =>
  Object.values(world.state.deploys)
    .filter((deploy) => deploy.serviceId === serviceId)
    .reverse();

/** The deploy whose version runs. */
export const liveDeploy = (world: World, serviceId: string): Deploy | undefined =>
  deploysOf(world, serviceId).find(({ status }) => status === "live");

function enter(world: World, deploy: Deploy, status: DeployStatus): void {
  // Whatever goes on with it yet, a build in the background say, is for nothing.
  if (deploy.status === "canceled") throw new Closed();
  const now = world.clock.now();
  deploy.status = status;
  deploy.updatedAt = now;
  if (status !== "queued") deploy.startedAt ??= now;
  if (settled.includes(status)) deploy.finishedAt ??= now;
  world.store.save();
}

/** A step of a deploy that went wrong: the state that it ends in, and what its log says. */
class Failed extends Error {
  override readonly name = "Failed";
  constructor(
    readonly status: DeployStatus,
    message: string,
  ) {
    super(message);
  }
}

/** A deploy that was canceled while it ran ends at its next step. */
async function step(world: World, deploy: Deploy, ms: number): Promise<void> {
  await pause(world, ms);
  if (deploy.status === "canceled" || world.state.services[deploy.serviceId] === undefined) throw new Closed();
}

async function build(world: World, service: Service, deploy: Deploy): Promise<string> {
  const reused = world.state.deploys[deploy.wanted.artifactOf ?? ""];
  if (reused?.artifact !== undefined) {
    if (reused.commit !== undefined) deploy.commit = reused.commit;
    if (reused.image !== undefined) deploy.image = reused.image;
    return reused.artifact;
  }
  if (service.imagePath !== undefined) {
    const ref = fullReference(deploy.wanted.imageUrl ?? service.imagePath);
    const sha = await world.runtime.resolve(ref);
    if (sha === undefined) throw new Failed("update_failed", `Failed to pull the image ${ref}: not found`);
    deploy.image = { ref, sha };
    return ref.includes("@") ? ref : `${ref}@${sha}`;
  }
  enter(world, deploy, "build_in_progress");
  await step(world, deploy, world.timings.build);
  const { repo = "", branch, rootDir, details } = service;
  const { buildCommand = "", dockerfilePath = "./Dockerfile", dockerContext = "." } = details.envSpecificDetails;
  const commit = await world.settings.commit(repo, branch, deploy.wanted.commitId);
  if (commit === undefined)
    throw new Failed("build_failed", `There is no ${deploy.wanted.commitId ?? `branch ${branch}`} in ${repo}`);
  deploy.commit = commit;
  if (world.faults.happens("buildFailure", subjectOf(service))) throw new Failed("build_failed", "Build failed");
  const source = { repo, commit: commit.id, rootDir, runtime: details.runtime };
  try {
    return await world.settings.build({ ...source, buildCommand, dockerfilePath, dockerContext });
  } catch (error) {
    throw new Failed("build_failed", error instanceof Error ? error.message : String(error));
  }
}

async function preDeploy(world: World, service: Service, deploy: Deploy): Promise<void> {
  const { preDeployCommand: command = "" } = service.details;
  if (command === "" || service.type === "cron_job") return;
  enter(world, deploy, "pre_deploy_in_progress");
  await step(world, deploy, 0);
  world.logs.add(service.id, `==> Starting pre-deploy: ${command}`);
  const code = world.faults.happens("preDeployFailure", subjectOf(service))
    ? 1
    : await runOnce(world, service, deploy, { command, id: `run-${deploy.id}` }).catch(() => 127);
  if (code !== 0) throw new Failed("pre_deploy_failed", `Pre-deploy command exited with status ${code}`);
}

const countOf = (service: Service): number =>
  service.details.autoscaling?.enabled === true ? service.details.autoscaling.min : service.details.numInstances;

/** New instances beside the old ones; with a disk, after the old one has ended. */
async function update(world: World, service: Service, deploy: Deploy): Promise<void> {
  enter(world, deploy, "update_in_progress");
  await step(world, deploy, world.timings.update);
  const before = instancesOf(world, service.id).filter(({ isKept }) => isKept);
  const previous = liveDeploy(world, service.id);
  const hasDisk = diskOf(world, service) !== undefined;
  if (hasDisk) await Promise.all(before.map((instance) => removeInstance(world, instance)));
  const made: Instance[] = [];
  let wrong: string | undefined;
  try {
    while (wrong === undefined && made.length < countOf(service)) made.push(await launch(world, service, deploy));
    const reasons = await Promise.all(made.map((instance) => awaitHealthy(world, service, instance)));
    wrong = reasons.find((reason) => reason !== undefined);
    if (deploy.status !== "update_in_progress") throw new Closed();
  } catch (error) {
    if (error instanceof Closed && world.isClosed) throw error;
    wrong = error instanceof Error ? error.message : String(error);
  }
  if (wrong !== undefined || world.state.services[service.id] === undefined) {
    const own = instancesOf(world, service.id).filter((instance) => instance.deployId === deploy.id);
    await Promise.all(own.map((instance) => removeInstance(world, instance)));
    // What ran before the disk was taken from it comes back.
    if (hasDisk && previous?.snapshot !== undefined && world.state.services[service.id] !== undefined)
      (await launch(world, service, previous)).isKept = true;
    if (deploy.status !== "update_in_progress") throw new Closed();
    throw new Failed("update_failed", wrong ?? "The service is gone");
  }
  for (const instance of made) instance.isKept = true;
  if (previous !== undefined) enter(world, previous, "deactivated");
  enter(world, deploy, "live");
  if (!hasDisk) void Promise.all(before.map((instance) => removeInstance(world, instance)));
}

async function run(world: World, service: Service, deploy: Deploy): Promise<void> {
  if (deploy.status === "canceled" || service.suspended) return;
  enter(world, deploy, "created");
  try {
    await step(world, deploy, world.timings.queue);
    deploy.artifact = await build(world, service, deploy);
    // The variables are those of now, also of an older version that is brought back.
    deploy.snapshot = snapshotOf(service, deploy.artifact);
    await preDeploy(world, service, deploy);
    if (service.type === "cron_job") {
      const previous = liveDeploy(world, service.id);
      if (previous !== undefined) enter(world, previous, "deactivated");
      enter(world, deploy, "live");
    } else await update(world, service, deploy);
    world.logs.add(service.id, "==> Your service is live 🎉");
  } catch (error) {
    if (error instanceof Closed) return;
    const { status, message } = error instanceof Failed ? error : new Failed("update_failed", String(error));
    const type = status === "build_failed" ? "build" : "app";
    for (const line of message.split("\n")) world.logs.add(service.id, line, { type, level: "error" });
    world.logs.add(service.id, "==> Exited with status 1", { type, level: "error" });
    enter(world, deploy, status);
  }
}

function chain(world: World, service: Service, task: () => Promise<void>): void {
  const before = world.tasks.get(service.id) ?? Promise.resolve();
  const done = before.then(task).catch((error: unknown) => {
    if (!(error instanceof Closed))
      world.logs.add(service.id, `the emulator failed: ${String(error)}`, { level: "error" });
  });
  world.tasks.set(service.id, done);
}

/** Begins a deploy; behind another one of the service it waits. */
export function enqueueDeploy(world: World, service: Service, trigger: string, wanted: Deploy["wanted"] = {}): Deploy {
  const isBusy = deploysOf(world, service.id).some(({ status }) => !settled.includes(status));
  const now = world.clock.now();
  const deploy: Deploy = {
    ...{ id: newId("dep"), serviceId: service.id, status: isBusy ? "queued" : "created", trigger, wanted },
    ...{ createdAt: now, updatedAt: now },
  };
  world.state.deploys[deploy.id] = deploy;
  world.store.save();
  chain(world, service, () => run(world, service, deploy));
  return deploy;
}

/** Ends a deploy that isn't through, after a while in which it may get through yet. */
export function cancelDeploy(world: World, deploy: Deploy): void {
  pause(world, world.timings.cancel)
    .then(() => {
      if (!settled.includes(deploy.status)) enter(world, deploy, "canceled");
    })
    .catch((error: unknown) => {
      if (!(error instanceof Closed)) process.stderr.write(`${String(error)}\n`);
    });
}

/** Begins again what the emulator's end cut off: what was half there of it goes first. */
export async function resumeDeploys(world: World): Promise<void> {
  for (const service of Object.values(world.state.services)) {
    const open = deploysOf(world, service.id)
      .filter(({ status }) => !settled.includes(status))
      .reverse();
    const ids = open.map(({ id }) => id);
    const half = instancesOf(world, service.id).filter(({ deployId }) => ids.includes(deployId));
    await Promise.all(half.map((instance) => removeInstance(world, instance)));
    for (const deploy of open) chain(world, service, () => run(world, service, deploy));
  }
}

/** Runs more or fewer copies of the live version, at once and without a deploy. */
export async function scaleTo(world: World, service: Service, count: number): Promise<void> {
  service.details = { ...service.details, numInstances: count };
  service.updatedAt = world.clock.now();
  world.store.save();
  const live = liveDeploy(world, service.id);
  if (live === undefined || service.suspended) return;
  const present = instancesOf(world, service.id).filter(({ isKept }) => isKept);
  await Promise.all(present.slice(count).map((instance) => removeInstance(world, instance)));
  for (let more = present.length; more < count; more++) (await launch(world, service, live)).isKept = true;
}
