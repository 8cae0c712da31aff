import { commonControls, done, type Control } from "../platform/control";
import type { Answer, Call } from "../platform/http";
import type { Journal } from "../platform/journal";
import type { Machine, Token } from "./state";
import { issueToken } from "./tokens";
import { changed, refuse } from "./world";
import type { World } from "./world";

/** The rehearsal's own calls, by which it is told what to do wrong and asked what happened. */
const controls: Readonly<Record<string, Control<World>>> = {
  ...commonControls,
  "POST tokens": (world, wanted: Omit<Token, "token">) => ({ status: 200, body: issueToken(world, wanted) }),
  "POST organizations": (world, { slug }: { slug: string }) => {
    const number = world.state.organizations.length + 1;
    if (!world.state.organizations.some((one) => one.slug === slug))
      world.state.organizations.push({ id: `org_${number}${slug}`, number, slug, name: slug });
    world.store.save();
    return done;
  },
  "POST regions": (world, { code, capacity }: { code: string; capacity: number }) => {
    const region = world.state.regions.find((one) => one.code === code);
    if (region === undefined) throw refuse(404, `no region ${code}`);
    region.capacity = capacity;
    world.store.save();
    return done;
  },
  "POST names": (world, { taken }: { taken: string[] }) => {
    world.state.takenNames = taken;
    world.store.save();
    return done;
  },
  "POST settings": (world, settings: Partial<World["settings"]>) => {
    Object.assign(world.settings, settings);
    return done;
  },
  "POST timings": (world, timings: Partial<World["timings"]>) => {
    Object.assign(world.timings, timings);
    return done;
  },
  "POST hosts": (world, { machine: id, status }: { machine: string; status: Machine["hostStatus"] }) => {
    const machine = world.state.machines[id];
    if (machine === undefined) throw refuse(404, `no machine ${id}`);
    machine.hostStatus = status;
    changed(world, machine);
    return done;
  },
  // An app without a public address answers nobody from outside.
  "GET edges": (world) => ({
    status: 200,
    body: Object.fromEntries(
      Object.entries(world.state.edges).filter(([edge]) =>
        world.state.apps[edge.split(":")[0]!]?.addresses.some(({ type }) => ["v4", "v6", "shared_v4"].includes(type)),
      ),
    ),
  }),
};

/** Answers a call to the emulator itself, below /rehearsal. It takes no token, as only this machine reaches it. */
export function answerControl(world: World, journal: Journal, call: Call): Answer | Promise<Answer> {
  const control = controls[`${call.method} ${call.path.replace("/rehearsal/", "")}`];
  if (control === undefined)
    return { status: 404, body: { error: `nothing to control at ${call.method} ${call.path}` } };
  return control(world, (call.body ?? {}) as never, journal, call.query);
}
