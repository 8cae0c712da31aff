import type { Fault, Faults } from "./faults";
import type { Answer } from "./http";
import type { Journal } from "./journal";

/** One of the rehearsal's own calls, by which an emulator is told what to do wrong and asked what happened. */
export type Control<W> = (world: W, body: never, journal: Journal, query: URLSearchParams) => Answer | Promise<Answer>;

export const done: Answer = { status: 200, body: { ok: true } };

/** The calls that every emulator answers, by method and path below /rehearsal. */
export const commonControls: Readonly<Record<string, Control<{ readonly faults: Faults }>>> = {
  "GET health": () => done,
  "POST faults": (world, fault: Fault) => {
    world.faults.add(fault);
    return done;
  },
  "GET faults": (world) => ({ status: 200, body: world.faults.list() }),
  "DELETE faults": (world) => {
    world.faults.clear();
    return done;
  },
  "GET calls": (_world, _body, journal, query) => ({
    status: 200,
    body: journal.entries(Number(query.get("after") ?? 0)),
  }),
};
