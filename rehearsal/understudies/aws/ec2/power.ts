import type { Instance } from "@aws-sdk/client-ec2";
import type { Api } from "../api";
import { ifThere, waitFor } from "../steps";

/** What AWS tells of an instance, also of one that was ended a while ago. */
async function describe(api: Api, id: string): Promise<Instance | undefined> {
  const ec2 = await api.client("ec2");
  const found = await ifThere(ec2.describeInstances({ InstanceIds: [id] }));
  return found?.Reservations?.[0]?.Instances?.[0];
}

/** An instance, or undefined where it is gone. */
export async function findInstance(api: Api, id: string): Promise<Instance | undefined> {
  const instance = await describe(api, id);
  return instance?.State?.Name === "terminated" ? undefined : instance;
}

async function reaches(api: Api, id: string, wanted: string): Promise<Instance> {
  return waitFor(api, `instance ${id} is ${wanted}`, async () => {
    // One that was just made isn't known everywhere at once.
    const instance = await describe(api, id);
    const state = instance?.State?.Name;
    if (state === wanted) return instance;
    if (state === "terminated" || state === "shutting-down") {
      const why = instance?.StateReason?.Message;
      throw new Error(`instance ${id} is ${state}${why === undefined ? "" : `: ${why}`}, expected ${wanted}`);
    }
    return undefined;
  });
}

/** Waits until an instance runs. */
export const running = (api: Api, id: string): Promise<Instance> => reaches(api, id, "running");

/** Stops an instance that runs and waits until it is stopped. */
export async function stopped(api: Api, id: string): Promise<void> {
  const ec2 = await api.client("ec2");
  const state = (await findInstance(api, id))?.State?.Name;
  if (state === undefined || state === "stopped" || state === "shutting-down") return;
  if (state !== "stopping") await ec2.stopInstances({ InstanceIds: [id] });
  await reaches(api, id, "stopped");
}

/** Starts an instance and waits until it runs. */
export async function started(api: Api, id: string): Promise<void> {
  const ec2 = await api.client("ec2");
  await ec2.startInstances({ InstanceIds: [id] });
  await running(api, id);
}
