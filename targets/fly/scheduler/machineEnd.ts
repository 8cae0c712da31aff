import type { Deadline } from "../../../drivers/http";
import type { Fly } from "../api/fly";
import type { Machine } from "../api/types";
import { exitOf } from "../deploy/health";
import { patiently } from "./patience";
import type { Ending } from "./runJob";

/** Seconds beyond the program's own that its image may take to be pulled. */
const pullSeconds = 180;
/** Seconds in which Fly has to take the order to remove a machine. */
const removeSeconds = 900;

/**
 * Waits for the end of a machine that was made for one run, and removes it whatever came of that: it would be billed, and its
 * program go on, with nobody there who ends it in time.
 * @param seconds that its program may run
 */
export async function endOf(fly: Fly, app: string, id: string, seconds: number): Promise<Ending> {
  const deadline = fly.deadline(seconds + pullSeconds, `machine ${id} to end`);
  let ending: Ending = { code: undefined, reason: "timeout", log: [] };
  try {
    const ended = await waitEnd(fly, app, id, seconds, deadline);
    if (ended !== undefined) {
      const exit = exitOf(ended);
      ending = { code: exit?.guest_exit_code ?? exit?.exit_code, reason: "exit", log: [`machine ${id}`] };
    }
  } finally {
    const removal = fly.deadline(removeSeconds, `machine ${id} to be removed`);
    await patiently(fly, removal, () => fly.destroyMachine(app, id)).catch((error: unknown) => {
      const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      ending = { ...ending, log: [...ending.log, `machine ${id} stays, fly machine destroy --force ${id}: ${why}`] };
    });
  }
  return ending;
}

/** @returns undefined where it took too long */
async function waitEnd(
  fly: Fly,
  app: string,
  id: string,
  seconds: number,
  deadline: Deadline,
): Promise<Machine | undefined> {
  const { world } = fly.client;
  let started: number | undefined;
  for (let settle = 0; ;) {
    const machine = await patiently(fly, deadline, () => fly.machine(app, id));
    if (machine?.state === "started") started ??= world.now();
    if (machine !== undefined && ["stopped", "failed", "destroyed"].includes(machine.state)) {
      if (exitOf(machine) !== undefined || settle++ >= 5) return machine;
    }
    if (started !== undefined && world.now() - started > seconds * 1000) return undefined;
    if (!(await fly.client.pause(2000, deadline))) return undefined;
  }
}
