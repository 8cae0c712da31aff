import { commonControls, done, type Control } from "../platform/control";
import type { Answer, Call } from "../platform/http";
import type { Journal } from "../platform/journal";
import { instancesOf } from "./instances";
import { addKey } from "./keys";
import { enqueueDeploy, liveDeploy } from "./rollout";
import { takeSnapshot } from "./snapshots";
import type { Blueprint } from "./state";
import { newId, refuse, type World } from "./world";

/** What the emulator's process adds to what it can be told. */
export interface Extras {
  /** Commits a folder to a repository that services are built from; returns the commit's id. */
  readonly repository?: (name: string, folder: string, branch: string) => Promise<string>;
}

/** The rehearsal's own calls, by which it is told what to do wrong and asked what happened. */
const controls = ({ repository }: Extras): Readonly<Record<string, Control<World>>> => ({
  ...commonControls,
  "POST settings": (world, { rateLimits }: { rateLimits: boolean }) => {
    world.settings.rateLimits = rateLimits;
    return done;
  },
  // A key of other workspaces, made if they aren't there.
  "POST keys": (world, { owners }: { owners: string[] }) => ({ status: 200, body: { key: addKey(world, owners) } }),
  "POST names": (world, { taken }: { taken: string[] }) => {
    world.state.takenSlugs = taken;
    world.store.save();
    return done;
  },
  "POST blueprints": (world, wanted: Omit<Blueprint, "id">) => {
    const blueprint = { ...wanted, id: newId("exs") };
    world.state.blueprints[blueprint.id] = blueprint;
    world.store.save();
    return { status: 200, body: blueprint };
  },
  "POST repositories": async (
    world,
    { name, folder, branch = "main" }: { name: string; folder: string; branch?: string },
  ) => {
    if (repository === undefined) throw refuse(404, "this emulator has no repositories");
    const commit = await repository(name, folder, branch);
    // A push deploys the services that ask for it.
    for (const service of Object.values(world.state.services)) {
      const isOf = service.repo?.replace(/\.git$/, "").endsWith(`/${name}`) === true && service.branch === branch;
      const isNew = liveDeploy(world, service.id)?.commit?.id !== commit;
      if (isOf && isNew && service.autoDeploy === "yes" && !service.suspended)
        enqueueDeploy(world, service, "new_commit");
    }
    return { status: 200, body: { commit } };
  },
  // Stands for the passing of a day: Render makes a snapshot of each disk.
  "POST snapshots": async (world) => {
    for (const disk of Object.values(world.state.disks)) await takeSnapshot(world, disk);
    return done;
  },
  // Stands for ssh.<region>.render.com: a command line of the login shell in a service's instance.
  "POST ssh": async (world, { service, command }: { service: string; command: string }) => {
    const instance = instancesOf(world, service).find(({ isUp, isKept }) => isUp && isKept);
    if (instance === undefined) throw refuse(404, `nothing runs of ${service}`);
    const body = await world.runtime.exec(instance.id, ["/bin/sh", "-c", command], "", 600_000);
    return { status: 200, body };
  },
  "GET edges": (world) => ({
    status: 200,
    body: Object.fromEntries(
      Object.entries(world.state.edges).map(([id, port]) => [world.state.services[id]?.name ?? id, port]),
    ),
  }),
});

/** Answers a call to the emulator itself, below /rehearsal. It takes no key, as only this machine reaches it. */
export function answerControl(world: World, journal: Journal, extras: Extras, call: Call): Answer | Promise<Answer> {
  const control = controls(extras)[`${call.method} ${call.path.replace("/rehearsal/", "")}`];
  if (control === undefined)
    return { status: 404, body: { message: `nothing to control at ${call.method} ${call.path}` } };
  return control(world, (call.body ?? {}) as never, journal, call.query);
}
