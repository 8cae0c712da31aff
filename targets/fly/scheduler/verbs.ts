import { backUp, restore } from "../backup/backup";
import { prefixOf } from "../backup/keys";
import { listObjects, uploadUrl } from "../backup/s3";
import { exitCodes } from "../../operations";
import { locked } from "./lock";
import type { Own } from "./own";
import type { Ending } from "./runJob";
import type { PlannedBackup } from "./schedule";

/** Seconds in which a file has to be sent after its address was asked for. */
const sendSeconds = 3600;
/** Fly's exec tells so much of an output, and no more; older ones are in the bucket all the same. */
const mostListed = 100;

/** What a person asks the scheduler's machine for. @returns an exit code */
export async function runVerb(own: Own, verb: string, [database = "", key = ""]: readonly string[]): Promise<number> {
  const plan = own.schedule.backups.find((one) => one.database === database);
  if (plan === undefined) {
    own.log(`${database} has no backups`);
    return exitCodes.absent;
  }
  const access = own.accessOf(plan);
  switch (verb) {
    case "backup":
      return alone(own, plan, () => backUp(own.here(), plan, access, new Date()));
    case "restore":
      return alone(own, plan, () => restore(own.here(), plan, access, key));
    case "list": {
      const objects = await listObjects(access, prefixOf(own.schedule.id, database));
      const newest = objects.sort((a, b) => (a.time < b.time ? 1 : -1)).slice(0, mostListed);
      own.log(JSON.stringify(newest.map((object) => [object.key, object.bytes, object.time])));
      return 0;
    }
    case "address":
      own.log(uploadUrl(access, key, sendSeconds));
      return 0;
    default:
      own.log(`there is no verb ${verb}`);
      return exitCodes.absent;
  }
}

async function alone(own: Own, plan: PlannedBackup, act: () => Promise<Ending>): Promise<number> {
  const ending = await locked(plan.name, act);
  if (ending === undefined) {
    own.log(`${plan.database}: a backup or restore is under way`);
    return exitCodes.busy;
  }
  // What the machine said was written already; what came of it wasn't.
  const last = ending.log.at(-1);
  if (ending.reason !== "exit") own.log(`${plan.database}: ${ending.reason}`);
  else if (ending.code !== 0 && last !== undefined) own.log(last);
  if (ending.reason === "timeout") return exitCodes.timeout;
  return ending.reason === "lost" ? exitCodes.absent : (ending.code ?? 1);
}
