import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { groupFolders, processesIn, removeGroup } from "../host/cgroup";
import type { Host } from "../host/host";
import { hostOf } from "../host/host";
import type { Machine } from "../host/machine";
import { removeMachine } from "../host/machine";
import type { Network } from "../host/network";
import type { Log } from "../host/run";
import { RehearsalError, must, poll, run } from "../host/run";
import type { Emulator as EmulatorPlan } from "../s3/moto";
import { ensureMoto, freePort, planEmulator } from "../s3/moto";
import type { ExistingInstance } from "./existing";
import type { Fault } from "./faults";
import { cloudTable } from "./firewall";
import { machinesOf } from "./fleet";
import type { RelayPlan, SeenCall } from "./relay";
import { detachLoops } from "./volumes";

export type { ExistingInstance } from "./existing";
export type { Fault, FaultKind } from "./faults";
export type { SeenCall } from "./relay";

/** The host behind an instance. To stop, start, reboot or end it, call EC2. */
export type InstanceHost = Pick<
  Host,
  "name" | "address" | "port" | "hostKey" | "exec" | "kill" | "unreachable" | "sshLog"
>;

/** An instance that was there before, with what a stack file says of it. */
export interface AdoptableInstance extends InstanceHost {
  /** The login of its image. */
  readonly user: string;
  /** The private part of its key pair, PEM text. */
  readonly privateKey: string;
}

/**
 * AWS on this machine: moto's server, and a relay in front of it that boots a host for each instance, attaches volumes to
 * it, leads Elastic IPs and the instance metadata to it, and filters what goes to it by its security groups.
 */
export interface Aws {
  /** Of all services, `http://10.…:port`. Clients of S3 need path-style addresses. */
  readonly endpoint: string;
  /** The region that stacks take unless they name another; every region is there. */
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The host behind an instance, once it has booted. */
  host(instanceId: string): Promise<InstanceHost>;
  /** Makes an instance with a given id, as one that is to be adopted, and waits until it has booted. */
  existingInstance(wish: ExistingInstance): Promise<AdoptableInstance>;
  /** Publishes a newer image under a public parameter's name, as its owner does every few weeks. @returns its id */
  moveImage(parameter: string, region?: string): Promise<string>;
  /** Lets the next calls of an action go wrong. */
  fault(fault: Fault): Promise<void>;
  /** Lets nothing more go wrong. */
  clearFaults(): Promise<void>;
  /** The calls that came in so far, or since the last `clearCalls`, the newest 20,000. */
  calls(): Promise<readonly SeenCall[]>;
  clearCalls(): Promise<void>;
  /** Ends it with all its instances; what was stored is gone. */
  stop(): Promise<void>;
}

/** All that it uses, written down before it is started. */
export interface AwsPlan {
  readonly emulator: EmulatorPlan;
  /** The relay's control group. */
  readonly unit: string;
  readonly port: number;
  readonly metadataPort: number;
  readonly folder: string;
  readonly tag: string;
  readonly network: Network;
}

/** Chooses names, ports and credentials. Nothing is started yet. */
export async function planAws(tag: string, network: Network, folder: string): Promise<AwsPlan> {
  const emulator = await planEmulator(`homeport-${tag}.moto`, "127.0.0.1", join(folder, "moto"));
  const [port, metadataPort] = [await freePort(network.gateway), await freePort(network.gateway)];
  return { emulator, unit: `homeport-${tag}.aws`, port, metadataPort, folder, tag, network };
}

const alive = (unit: string): boolean => processesIn(groupFolders(unit)[0]).length > 0;

const logTail = (file: string): string =>
  existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-10).join("\n") : "";

/** Starts a process that outlives this one, in a control group of its own. */
function startApart(unit: string, log: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const output = openSync(log, "a", 0o600);
  const checkout = resolve(__dirname, "../..");
  const child = spawn(join(__dirname, "../host/grouped.sh"), [checkout, ...groupFolders(unit), "--", ...argv], {
    stdio: ["ignore", output, output],
    detached: true,
    env: { ...process.env, ...env },
  });
  closeSync(output);
  child.unref();
}

async function answers(url: string): Promise<true | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok || undefined;
  } catch {
    return undefined;
  }
}

async function startEmulator({ emulator, network }: AwsPlan, log: Log): Promise<void> {
  const venv = await ensureMoto(log);
  const { unit, address, port, folder } = emulator;
  const file = join(folder, "moto.log");
  mkdirSync(folder, { recursive: true });
  startApart(unit, file, [
    ...[join(venv, "bin/python"), "-B", join(__dirname, "emulator"), address, String(port), network.subnet],
  ]);
  await poll(() => answers(`http://${address}:${port}/homeport/facts`), {
    timeoutMs: 60_000,
    failure: () => `The AWS emulator doesn't answer on ${address}:${port}. Its log ends with:\n${logTail(file)}`,
  });
}

async function startRelay(plan: AwsPlan, root: string): Promise<void> {
  const { unit, folder, port, metadataPort, tag, network, emulator } = plan;
  const relay: RelayPlan = {
    ...{ folder, tag, network, root, metadataPort, port, address: network.gateway },
    emulator: { host: emulator.address, port: emulator.port },
  };
  writeFileSync(join(folder, "relay.json"), JSON.stringify(relay), { mode: 0o600 });
  const file = join(folder, "relay.log");
  const node = [process.execPath, "--require", require.resolve("ts-node/register"), join(__dirname, "relay.ts")];
  startApart(unit, file, [...node, folder]);
  await poll(() => answers(`http://${network.gateway}:${port}/homeport/calls`), {
    timeoutMs: 60_000,
    failure: () =>
      `The relay to AWS doesn't answer on ${network.gateway}:${port}. Its log ends with:\n${logTail(file)}`,
  });
}

/** Starts it, or takes it over where it runs already. It outlives this process. `root` is what instances boot copies of. */
export async function startAws(plan: AwsPlan, root: string, log: Log): Promise<Aws> {
  mkdirSync(plan.folder, { recursive: true });
  if (!alive(plan.emulator.unit)) {
    // What moto knew is gone with it, and so are the instances.
    await removeAws(plan);
    mkdirSync(plan.folder, { recursive: true });
    await startEmulator(plan, log);
  }
  if (!alive(plan.unit)) await startRelay(plan, root);
  return new RunningAws(plan);
}

/** Ends and removes all that a plan names. What is already gone is no error. */
export async function removeAws(plan: AwsPlan): Promise<void> {
  // The relay first: it would boot what is being removed.
  await removeGroup(plan.unit);
  await removeGroup(plan.emulator.unit);
  await Promise.all(machinesOf(plan.folder).map(removeMachine));
  await detachLoops(join(plan.folder, "volumes"));
  for (const family of ["ip", "bridge"]) await run(["nft", "delete", "table", family, cloudTable(plan.network)]);
  rmSync(plan.folder, { recursive: true, force: true });
}

class RunningAws implements Aws {
  readonly endpoint: string;
  readonly region = "us-east-1";
  readonly accessKeyId: string;
  readonly secretAccessKey: string;

  constructor(private readonly plan: AwsPlan) {
    this.endpoint = `http://${plan.network.gateway}:${plan.port}`;
    this.accessKeyId = plan.emulator.accessKeyId;
    this.secretAccessKey = plan.emulator.secretAccessKey;
  }

  private async ask<T>(what: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.endpoint}/homeport/${what}`, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const said = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new RehearsalError(`AWS's rehearsal can't: ${said.error ?? response.status}`);
    return said;
  }

  async host(instanceId: string): Promise<InstanceHost> {
    const { machine } = await this.ask<{ machine?: Machine }>("booted", { id: instanceId });
    if (machine !== undefined) return hostOf({ machine, network: this.plan.network });
    const said = logTail(join(this.plan.folder, "relay.log"));
    throw new RehearsalError(`No host runs for the instance ${instanceId}. The relay's log ends with:\n${said}`);
  }

  async existingInstance(wish: ExistingInstance): Promise<AdoptableInstance> {
    const file = join(this.plan.folder, "keys", wish.keyName ?? wish.name);
    mkdirSync(join(this.plan.folder, "keys"), { recursive: true, mode: 0o700 });
    if (!existsSync(file)) await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", wish.name, "-f", file]);
    await this.ask("existing", { wish, publicKey: readFileSync(`${file}.pub`, "utf8").trim() });
    const privateKey = readFileSync(file, "utf8");
    const parameter = wish.imageParameter ?? "";
    const user = /debian/.test(parameter) ? "admin" : /ubuntu/.test(parameter) ? "ubuntu" : "ec2-user";
    return { ...(await this.host(wish.id)), user, privateKey };
  }

  async moveImage(parameter: string, region = this.region): Promise<string> {
    return (await this.ask<{ image: string }>("move", { region, parameter })).image;
  }

  async fault(fault: Fault): Promise<void> {
    await this.ask("faults", fault);
  }

  async clearFaults(): Promise<void> {
    await this.ask("faults/clear");
  }

  calls(): Promise<readonly SeenCall[]> {
    return this.ask<readonly SeenCall[]>("calls");
  }

  async clearCalls(): Promise<void> {
    await this.ask("calls/clear");
  }

  stop(): Promise<void> {
    return removeAws(this.plan);
  }
}
