import { DriverError } from "../../../drivers/error";
import { createOnce, type Once } from "../../../drivers/http";
import type { Run } from "./run";

/** Seconds for which lists may lag behind what was made. */
const lagSeconds = 300;

/** Seconds that making one of these takes at most, with the looks after an answer that was lost. */
export const makeSeconds = 600;

/**
 * Makes something of which Render makes a second one where it is asked again under the same name. After an answer that was
 * lost it is looked for; where it isn't found, a person is to look.
 */
export function makeSingle<T>(run: Run, name: string, once: Once<T>): Promise<T> {
  return createOnce(run.render.client, { ...once, lookSeconds: lagSeconds, notAgain: (error) => unsure(name, error) });
}

const unsure = (name: string, error: Error): DriverError =>
  new DriverError({
    what: `It isn't known whether Render made ${name}.`,
    where: name,
    why: `its answer was lost, and within ${lagSeconds} s no list has it; asked again, Render might make a second one (${error.message.split("\n")[0] ?? ""})`,
    fix: `look for ${name} at dashboard.render.com; once it is there, or surely isn't: pulumi up, which takes it or makes it`,
  });
