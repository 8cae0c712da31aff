import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launchKey, type Fly } from "../api/fly";
import { metadataOf } from "../api/types";
import { tag } from "../deploy/tags";
import { endOf } from "../scheduler/machineEnd";
import type { Ending } from "../scheduler/runJob";
import { jobTags, type PostgresBackup } from "../scheduler/schedule";
import type { Meeting } from "./courier";
import { workSeconds, type Act, type Here } from "./here";

/** Runs one of the shell scripts on a machine of its own that has the database's programs, and removes that machine. */
export async function runOnMachine(
  here: Here,
  plan: PostgresBackup,
  act: Act,
  at: Date,
  { port, nonce }: Meeting,
): Promise<Ending> {
  const { app, id } = here;
  const fly = here.flyFor(app);
  // One that a scheduler before this one left behind can't find its courier any more.
  await removeLeft(fly, here, plan);
  const machine = await fly.createMachine(app, `${plan.name}-${act}-${at.getTime()}`, {
    region: here.region,
    config: {
      image: plan.image,
      guest: plan.guest,
      env: {
        FLY_PROCESS_GROUP: plan.name,
        DATABASE_VARIABLE: plan.variable,
        COURIER_HOST: here.address,
        COURIER_PORT: String(port),
        COURIER_NONCE: nonce,
      },
      files: [],
      init: { entrypoint: ["/bin/bash", "-c"], cmd: [readFileSync(join(here.scripts, `${act}.sh`), "utf8")] },
      restart: { policy: "no" },
      auto_destroy: false,
      dns: { skip_registration: true },
      metadata: {
        [tag.platform]: "v2",
        [tag.group]: plan.name,
        [tag.owner]: id,
        [tag.role]: "job",
        [jobTags.name]: plan.name,
        [jobTags.at]: at.toISOString(),
      },
    },
    skip_service_registration: true,
  });
  return endOf(fly, app, machine.id, workSeconds);
}

async function removeLeft(fly: Fly, { app, id }: Here, { name }: PostgresBackup): Promise<void> {
  const left = await fly.machines(app, { [tag.owner]: id, [tag.role]: "job", [jobTags.name]: name });
  for (const machine of left)
    if (metadataOf(machine)[launchKey] !== undefined) await fly.destroyMachine(app, machine.id);
}
