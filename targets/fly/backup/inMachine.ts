import { readFileSync } from "node:fs";
import { join } from "node:path";
import { metadataOf } from "../api/types";
import { tag } from "../deploy/tags";
import { runJob, type Ending } from "../scheduler/runJob";
import type { PlannedJob, SqliteBackup } from "../scheduler/schedule";
import type { Meeting } from "./courier";
import { workSeconds, type Act, type Here } from "./here";

/**
 * Saves or restores a SQLite database in the machine that has its volume, by the Python in its image; what other machines of the
 * service have on volumes of their own isn't looked at. A machine whose file was restored is restarted: its program has the old
 * one open.
 */
export async function runInMachine(
  here: Here,
  plan: SqliteBackup,
  act: Act,
  at: Date,
  { port, nonce }: Meeting,
): Promise<Ending> {
  const script = readFileSync(join(here.scripts, "sqlite.py"), "utf8");
  const job: PlannedJob = {
    name: `${plan.name}-${act}`,
    expression: plan.expression,
    timeZone: plan.timeZone,
    flyApp: plan.flyApp,
    group: plan.group,
    inPlace: true,
    commands: [
      `command -v python3 >/dev/null || { echo "the image of ${plan.group} has no python3, which makes copies of SQLite"; exit 1; }`,
      `python3 - <<'PYTHON'\n${script}\nPYTHON`,
    ],
    onFailure: "stop",
    timeoutSeconds: workSeconds,
    env: {
      DATABASE_FILE: plan.file,
      DATABASE_ACT: act,
      COURIER_HOST: here.address,
      COURIER_PORT: String(port),
      COURIER_NONCE: nonce,
    },
  };
  const fly = here.flyFor(plan.flyApp);
  const ending = await runJob(fly, here.id, job, at);
  if (act === "restore" && ending.code === 0) {
    const members = await fly.machines(plan.flyApp, { [tag.owner]: here.id, [tag.group]: plan.group });
    const first = members.find((machine) => metadataOf(machine)[tag.slot] === "1");
    if (first !== undefined) await fly.restart(plan.flyApp, first.id);
  }
  return ending;
}
