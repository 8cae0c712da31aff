import { ApiError, createOnce } from "../../../drivers/http";
import type { VolumeInstance } from "../api/types";
import type { RailwayVolume } from "../plan";
import { volumeName } from "./choose";
import { commitPatch } from "./environment";
import type { Place } from "./find";
import { volumesOf } from "./look";
import { lookSeconds } from "./lost";
import type { Run } from "./run";
import type { Step } from "./steps";

/**
 * Makes a service's volume be as planned. Before its first deploy, as Railway has refused volumes of services that were
 * deployed. @returns the volume's instance
 */
export async function ensureVolume(
  run: Run,
  place: Place,
  step: Step,
  serviceId: string,
): Promise<VolumeInstance | undefined> {
  const { service, act } = step;
  const plan = service.volume;
  if (plan === undefined) return undefined;
  const name = volumeName(run.spec, service.name);
  let volume = step.volume ?? (await reattach(run, place, serviceId, plan, step.left[0]));
  if (volume === undefined) {
    volume = await create(run, place, serviceId, plan);
    run.changed(`${service.name}: volume is made at ${plan.path}`);
  } else if (volume.mountPath !== plan.path) await attach(run, place, volume, serviceId, plan);
  if (volume.volume.name !== name) {
    await run.railway.ask(
      "mutation NameVolume($volumeId: String!, $input: VolumeUpdateInput!) { volumeUpdate(volumeId: $volumeId, input: $input) { id } }",
      { volumeId: volume.volumeId, input: { name } },
    );
  }
  if (volume.sizeMB < plan.sizeMb) {
    const { volumeId } = volume;
    await commitPatch(run, place.environmentId, { volumes: { [volumeId]: { sizeMB: plan.sizeMb } } }, "Grow a volume");
    run.changed(`${service.name}: volume grows from ${volume.sizeMB} to ${plan.sizeMb} MB`);
  }
  if (act.unread || step.volume === undefined) {
    await run.railway.ask(
      `mutation ScheduleBackups($id: String!, $kinds: [VolumeInstanceBackupScheduleKind!]!) {
        volumeInstanceBackupScheduleUpdate(volumeInstanceId: $id, kinds: $kinds)
      }`,
      { id: volume.id, kinds: plan.backups },
    );
  }
  return volume;
}

/** A volume that an earlier service of that name has left. */
async function reattach(
  run: Run,
  place: Place,
  serviceId: string,
  plan: RailwayVolume,
  left: VolumeInstance | undefined,
): Promise<VolumeInstance | undefined> {
  if (left === undefined) return undefined;
  await attach(run, place, left, serviceId, plan);
  run.changed(`volume ${left.volume.name} is attached again, with its data`);
  return { ...left, serviceId, mountPath: plan.path };
}

/** Without the service's id, the volume would be taken from it (the contract's VolumeInstanceUpdateInput). */
async function attach(
  run: Run,
  { environmentId }: Place,
  { volumeId }: VolumeInstance,
  serviceId: string,
  { path }: RailwayVolume,
): Promise<void> {
  await run.railway.ask(
    `mutation AttachVolume($volumeId: String!, $environmentId: String, $input: VolumeInstanceUpdateInput!) {
      volumeInstanceUpdate(volumeId: $volumeId, environmentId: $environmentId, input: $input)
    }`,
    { volumeId, environmentId, input: { serviceId, mountPath: path } },
  );
}

/** Railway makes no volume right after another one, and tells it by words alone. */
const isTooSoon = (error: unknown): boolean => error instanceof ApiError && /too quickly/i.test(error.failure.message);

async function create(run: Run, place: Place, serviceId: string, plan: RailwayVolume): Promise<VolumeInstance> {
  const { railway, spec } = run;
  const deadline = railway.deadline(300, `a volume at ${plan.path} to be made`);
  const find = async () => (await volumesOf(run, place.environmentId)).find((one) => one.serviceId === serviceId);
  const region = spec.region === undefined ? {} : { region: spec.region };
  const make = async (): Promise<unknown> => {
    for (let wait = 1000; ; wait = Math.min(15_000, wait * 2)) {
      try {
        return await railway.make(
          "mutation CreateVolume($input: VolumeCreateInput!) { volumeCreate(input: $input) { id } }",
          { input: { ...place, serviceId, mountPath: plan.path, ...region } },
          { deadline },
        );
      } catch (error) {
        if (!isTooSoon(error) || !(await run.pause(wait, deadline))) throw error;
      }
    }
  };
  await createOnce<unknown>(railway.client, {
    deadline,
    create: make,
    find,
    lookSeconds,
  });
  for (;;) {
    const made = await find();
    if (made !== undefined) return made;
    if (!(await run.pause(1000, deadline))) {
      throw run.error(
        "A volume was made, but isn't to be seen in the environment.",
        `it is to be at ${plan.path}`,
        "pulumi up looks again",
      );
    }
  }
}
