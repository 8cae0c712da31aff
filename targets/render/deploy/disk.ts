import { createOnce } from "../../../drivers/http";
import type { Service } from "../api/types";
import type { RenderService } from "../plan";
import type { Run } from "./run";

/**
 * A disk is made, grows and moves; it never shrinks, and is left where the plan has none any more.
 * @returns whether that takes a deploy
 */
export async function applyDisk(
  run: Run,
  service: RenderService,
  found: Service,
  undo: { isNeeded: boolean },
): Promise<boolean> {
  const { render } = run;
  const { disk, name } = service;
  const has = found.serviceDetails.disk;
  if (disk === undefined) {
    if (has !== undefined) run.tell(`${name}: its disk at ${has.mountPath} stays, as it may hold data`);
    return false;
  }
  const { path: mountPath, sizeGb: sizeGB } = disk;
  if (has === undefined) {
    const body = { serviceId: found.id, name: disk.name, mountPath, sizeGB };
    const deadline = render.deadline(180, `the disk of ${name}`);
    undo.isNeeded = true;
    await createOnce(render.client, {
      create: () => render.call<unknown>("POST", "/disks", { body, deadline }),
      find: async () => (await render.list<unknown>("/disks", "disk", { serviceId: found.id }))[0],
      deadline,
    });
    run.changed(`${name}: a disk of ${sizeGB} GB at ${mountPath}`);
    return true;
  }
  const body = {
    ...(has.mountPath === mountPath ? {} : { mountPath }),
    ...(sizeGB > has.sizeGB ? { sizeGB } : {}),
  };
  if (Object.keys(body).length === 0) return false;
  undo.isNeeded = true;
  await render.call("PATCH", `/disks/${has.id}`, { body, idempotent: true });
  run.changed(`${name}: the disk's ${Object.keys(body).join(" and ")} changed`);
  return "mountPath" in body;
}

/** Moves a disk back to where the version from before looks for its data. One that was made or has grown stays so. */
export async function restoreDisk({ render }: Run, { disk }: RenderService, before: Service): Promise<void> {
  const had = before.serviceDetails.disk;
  if (had === undefined || disk === undefined || disk.path === had.mountPath) return;
  await render.call("PATCH", `/disks/${had.id}`, { body: { mountPath: had.mountPath }, idempotent: true });
}
