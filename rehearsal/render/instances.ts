import type { Container } from "../platform/runtime";
import { without } from "../platform/without";
import { repositoryName } from "../platform/repositories";
import { diskOf, portOf } from "./serviceView";
import type { Deploy, Instance, Service, Snapshot } from "./state";
import { chance, nextNumber, subjectOf, type World } from "./world";

/** What a service's deploy runs, with its variables as they are now. */
export function snapshotOf(service: Service, image: string): Snapshot {
  const { details } = service;
  const { dockerCommand = "", startCommand = "" } = details.envSpecificDetails;
  const isNative = details.runtime !== "docker" && details.runtime !== "image";
  const text = isNative ? startCommand : dockerCommand;
  return {
    image,
    env: service.envVars,
    secretFiles: service.secretFiles,
    ...(text === "" ? {} : { command: isNative ? ["/bin/sh", "-c", text] : wordsOf(text) }),
    stop: { signal: "SIGTERM", timeoutMs: (details.maxShutdownDelaySeconds ?? 30) * 1000 },
  };
}

/** A command's words as a shell has them, with nothing expanded: Docker runs commands without a shell. */
export function wordsOf(text: string): string[] {
  const parts = [...text.matchAll(/(?:[^\s"'\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/g)].map(([part]) => part);
  return parts.map((part) =>
    part.replace(
      /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g,
      (_, plain?: string, quoted?: string, one?: string) =>
        plain !== undefined ? plain : quoted !== undefined ? quoted.replace(/\\(["\\$`])/g, "$1") : (one ?? ""),
    ),
  );
}

/** The instances of a service, oldest first. */
export const instancesOf = (world: World, serviceId: string): Instance[] =>
  Object.values(world.state.instances).filter((instance) => instance.serviceId === serviceId);

/** The variables that Render sets: https://render.com/docs/environment-variables */
function givenVariables(service: Service, deploy: Deploy, instance: Instance): Record<string, string> {
  const host = `${service.slug}.onrender.com`;
  const isWeb = service.type === "web_service";
  return {
    RENDER: "true",
    IS_PULL_REQUEST: "false",
    RENDER_SERVICE_ID: service.id,
    RENDER_SERVICE_NAME: service.name,
    RENDER_SERVICE_TYPE: {
      web_service: "web",
      private_service: "pserv",
      background_worker: "worker",
      cron_job: "cron",
    }[service.type],
    RENDER_INSTANCE_ID: instance.id,
    ...(isWeb
      ? { RENDER_EXTERNAL_HOSTNAME: host, RENDER_EXTERNAL_URL: `https://${host}`, PORT: String(instance.port) }
      : {}),
    ...(deploy.commit === undefined || service.repo === undefined
      ? {}
      : {
          RENDER_GIT_COMMIT: deploy.commit.id,
          RENDER_GIT_BRANCH: service.branch ?? "",
          RENDER_GIT_REPO_SLUG: repositoryName(service.repo),
        }),
  };
}

function containerOf(
  world: World,
  service: Service,
  deploy: Deploy,
  instance: Instance,
  snapshot: Snapshot,
  isWhole: boolean,
): Container {
  const disk = isWhole ? diskOf(world, service) : undefined;
  const { entrypoint, command } = snapshot;
  return {
    id: instance.id,
    image: snapshot.image,
    env: { ...givenVariables(service, deploy, instance), ...snapshot.env },
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(command === undefined ? {} : { command }),
    volumes: disk === undefined ? [] : [{ name: disk.id, path: disk.mountPath }],
    files: Object.entries(snapshot.secretFiles).map(([name, content]) => ({
      path: `/etc/secrets/${name}`,
      content: Buffer.from(content),
    })),
    ports: service.type === "web_service" || service.type === "private_service" ? [instance.port] : [],
    privateAddress: world.runtime.privateAddress(instance.index),
    hostname: instance.id,
  };
}

function newInstance(world: World, service: Service, deploy: Deploy, env: Snapshot["env"], id: string): Instance {
  const instance = {
    ...{ id, serviceId: service.id, deployId: deploy.id },
    ...{ index: nextNumber(world), port: portOf(env), createdAt: world.clock.now() },
    ...{ isUp: false, isKept: false, isSick: false, restarts: 0 },
  };
  world.state.instances[id] = instance;
  return instance;
}

async function start(world: World, instance: Instance, container: Container): Promise<void> {
  // Set first: a command may end before its start is reported.
  instance.isUp = true;
  world.store.save();
  try {
    await world.runtime.start(container);
  } catch (error) {
    instance.isUp = false;
    throw error;
  }
}

/** Starts one copy of what a deploy runs. */
export async function launch(world: World, service: Service, deploy: Deploy): Promise<Instance> {
  const snapshot = deploy.snapshot!;
  const instance = newInstance(world, service, deploy, snapshot.env, `${service.id}-${chance(5)}`);
  instance.isSick = world.faults.happens("unhealthy", subjectOf(service));
  if (world.faults.happens("startFailure", subjectOf(service))) throw new Error("failed to start the instance");
  await start(world, instance, containerOf(world, service, deploy, instance, snapshot, true));
  return instance;
}

/** Starts an instance's command again, as it was. */
async function again(world: World, instance: Instance): Promise<void> {
  const service = world.state.services[instance.serviceId];
  const deploy = world.state.deploys[instance.deployId];
  if (service === undefined || deploy?.snapshot === undefined || !instance.isKept || instance.isUp) return;
  instance.restarts += 1;
  await start(world, instance, containerOf(world, service, deploy, instance, deploy.snapshot, true));
}

/** Restarts a service's instances with what they were deployed with. */
export async function restartInstances(world: World, service: Service): Promise<void> {
  for (const instance of instancesOf(world, service.id).filter(({ isKept }) => isKept)) {
    const stop = world.state.deploys[instance.deployId]?.snapshot?.stop;
    instance.isKept = false;
    await world.runtime.stop(instance.id, stop ?? { signal: "SIGTERM", timeoutMs: 30_000 });
    instance.isUp = false;
    instance.isKept = true;
    await again(world, instance);
  }
}

/** Ends an instance for good. */
export async function removeInstance(world: World, instance: Instance): Promise<void> {
  instance.isKept = false;
  const stop = world.state.deploys[instance.deployId]?.snapshot?.stop ?? { signal: "SIGTERM", timeoutMs: 30_000 };
  if (instance.isUp) await world.runtime.stop(instance.id, stop);
  await world.runtime.remove(instance.id);
  waiting.get(world)?.delete(instance.id);
  world.state.instances = without(world.state.instances, instance.id);
  world.store.save();
}

/** Who waits for containers that end by themselves. */
const waiting = new WeakMap<World, Map<string, (code: number) => void>>();

/**
 * Runs a command once, with a deploy's image and variables but without the disk, and waits for its end. Returns its exit
 * code. Its lines are logged under `resource`.
 */
export async function runOnce(
  world: World,
  service: Service,
  deploy: Deploy,
  what: { readonly command?: string | undefined; readonly id: string; readonly snapshot?: Snapshot },
): Promise<number> {
  const { command, id } = what;
  const snapshot = what.snapshot ?? deploy.snapshot!;
  const isNative = service.details.runtime !== "docker" && service.details.runtime !== "image";
  const words = command === undefined ? snapshot.command : isNative ? ["/bin/sh", "-c", command] : wordsOf(command);
  const instance = newInstance(world, service, deploy, snapshot.env, id);
  const ended = new Promise<number>((resolve) => {
    const waiters = waiting.get(world) ?? new Map<string, (code: number) => void>();
    waiting.set(world, waiters.set(id, resolve));
  });
  const whole = { ...snapshot, ...(words === undefined ? {} : { command: words }) };
  try {
    await start(world, instance, containerOf(world, service, deploy, instance, whole, false));
    return await ended;
  } finally {
    await removeInstance(world, instance);
  }
}

/** Takes what containers log and how they end. */
export function followRuntime(world: World): void {
  world.runtime.watch({
    logged: (id, line) => {
      const instance = world.state.instances[id];
      if (instance !== undefined) world.logs.add(instance.serviceId, line, { instance: id });
    },
    exited: (id, { code }) => {
      const instance = world.state.instances[id];
      if (instance === undefined) return;
      instance.isUp = false;
      waiting.get(world)?.get(id)?.(code);
      if (!instance.isKept) return;
      world.logs.add(instance.serviceId, `Instance exited with status ${code}`, { instance: id, level: "error" });
      void world.clock
        .sleep(world.timings.restart)
        .then(() => (world.isClosed ? undefined : again(world, instance)))
        .catch((error: unknown) => {
          world.logs.add(instance.serviceId, `Instance failed to start: ${String(error)}`, { level: "error" });
        });
    },
  });
}
