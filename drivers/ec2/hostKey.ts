import type { EC2Client } from "@aws-sdk/client-ec2";
import { setTimeout as delay } from "node:timers/promises";
import type { DriverIo } from "../driver";
import { DriverError, Interrupted } from "../error";
import { ec2Client, explainEc2 } from "./client";
import { hostKeyIn } from "./console";
import { endOrphans } from "./orphans";
import { resultBefore } from "../resultBefore";
import type { HostKeyResult, HostKeySpec } from "./spec";
import { waitForSsh } from "./waitForSsh";

/** Time between two looks at the console. */
const pause = 1_000;
const defaultDeadline = 600;
const defaultAnswer = 180;

/**
 * Reads the key that a new machine shows to SSH, once for each instance, and waits until the machine can be deployed to.
 * @throws DriverError where the key didn't appear in time; Interrupted
 */
export async function readHostKey(spec: HostKeySpec, io: DriverIo): Promise<HostKeyResult> {
  const { instanceId, host, address, port = 22 } = spec;
  const before = resultBefore<HostKeyResult>();
  const known = before.instanceId === instanceId ? before.hostKey : undefined;
  const hostKey = known ?? (await fromConsole(spec, io));
  if (address !== undefined && !(await waitForSsh(address, port, spec.answerSeconds ?? defaultAnswer, io.signal))) {
    if (io.signal.aborted) throw new Interrupted();
    io.progress(`${host}: SSH doesn't answer at ${address} from here yet`);
  }
  return { instanceId, hostKey };
}

/**
 * The key as the machine has printed it to its console, which AWS's own API gives over TLS: nobody between here and there
 * can put another in its place.
 */
async function fromConsole(spec: HostKeySpec, io: DriverIo): Promise<string> {
  const { connection, instanceId, host } = spec;
  const deadline = Date.now() + (spec.deadlineSeconds ?? defaultDeadline) * 1000;
  const client = await ec2Client(connection);
  await endOrphans(client, spec, io).catch((error: unknown) => {
    throw io.signal.aborted ? new Interrupted() : explainEc2(error, `${host}, ${instanceId} in ${connection.region}`);
  });
  const read = await consoleReader(client, spec, io.signal);
  for (let told = false; ; told = true) {
    const output = await read();
    const hostKey = hostKeyIn(output);
    if (hostKey !== undefined) return hostKey;
    if (io.signal.aborted) throw new Interrupted();
    if (Date.now() > deadline) {
      throw new DriverError({
        what: "The instance didn't print its SSH host key.",
        where: `${host}, ${instanceId} in ${connection.region}`,
        why: output === "" ? "its console stayed empty" : "its console has no SSH HOST KEY KEYS of cloud-init",
        fix:
          `look at what it prints: aws ec2 get-console-output --latest --output text --region ${connection.region} --instance-id ${instanceId}; ` +
          `an image without cloud-init needs its key told: pulumi config set --path ec2:instances.${host}.hostKey 'ssh-ed25519 AAAA…'`,
      });
    }
    if (!told) io.progress(`${host}: waits for ${instanceId} to boot and print its SSH host key`);
    await delay(pause, undefined, { signal: io.signal }).catch(() => undefined);
  }
}

/** Reads the console as it is now; on machines that keep none for reading (not Nitro), as it was when AWS last took it. */
async function consoleReader(client: EC2Client, { connection, instanceId, host }: HostKeySpec, signal: AbortSignal) {
  const { GetConsoleOutputCommand } = await import("@aws-sdk/client-ec2");
  let latest = true;
  const ask = async (): Promise<string> => {
    const command = new GetConsoleOutputCommand({ InstanceId: instanceId, ...(latest ? { Latest: true } : {}) });
    const { Output } = await client.send(command, { abortSignal: signal });
    return Buffer.from(Output ?? "", "base64").toString("utf8");
  };
  return async (): Promise<string> => {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted) throw new Interrupted();
      const code = error instanceof Error ? error.name : "";
      if (latest && /^(UnsupportedOperation|InvalidParameter.*)$/.test(code)) {
        latest = false;
        return ask();
      }
      throw explainEc2(error, `${host}, ${instanceId} in ${connection.region}`);
    }
  };
}
