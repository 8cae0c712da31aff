import { hasStatus } from "../../../drivers/http";
import { listIps, releaseIp } from "../api/network";
import { metadataOf } from "../api/types";
import { look, strange } from "./claim";
import { deletePostgres } from "./postgres";
import { kindOf } from "./network";
import type { Run } from "./run";
import { tag } from "./tags";

/** Takes the apps away, those that others connect to last. What is gone already, or another's by now, is left alone. */
export async function deleteApps(run: Run): Promise<void> {
  for (const { name } of [...run.spec.apps].reverse()) await deleteApp(run, name);
  await deletePostgres(run);
}

async function deleteApp(run: Run, name: string): Promise<void> {
  const { fly, spec } = run;
  const app = await fly.app(name).catch((error: unknown) => {
    if (hasStatus(error, 403)) return undefined;
    throw error;
  });
  if (app === undefined) return;
  const found = await look(run, name);
  const why = await strange(run, name, found);
  if (why !== undefined) {
    run.tell(`${name}: left alone, as ${why}`);
    return;
  }
  if (spec.onDelete === "delete data" || found.volumes.length === 0) {
    await fly.deleteApp(name);
    run.changed(`${name}: app deleted`);
    return;
  }
  for (const machine of found.machines) {
    if (metadataOf(machine)[tag.owner] !== spec.id) continue;
    await fly.destroyMachine(name, machine.id);
    run.changed(`${name}: machine ${machine.id} removed`);
  }
  // The app stays for its volumes; what is billed beside them goes.
  for (const ip of (await listIps(fly, name)).filter((one) => kindOf(one) === "v4")) await releaseIp(fly, name, ip.ip);
  run.tell(
    `${name}: the app stays, as it holds data (volumes: ${found.volumes.length}); fly apps destroy ${name} deletes them`,
  );
}
