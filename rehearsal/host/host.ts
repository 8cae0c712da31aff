import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import type { Machine } from "./machine";
import { consoleTail, cutOff, enterGuest, guestInit, removeMachine, running, startMachine } from "./machine";
import { removeGroup } from "./cgroup";
import type { Disk } from "./disks";
import { addDisk, dropDisk, guestPath } from "./disks";
import type { Network } from "./network";
import type { RunResult } from "./run";
import { RehearsalError, poll, run } from "./run";
import { readKeys, seed } from "./seed";

/** How to run a command in a host. */
export interface ExecOptions {
  /** Standard input; secrets go here. */
  readonly input?: string | Buffer;
  /** A file of this machine for standard input. */
  readonly inputFile?: string;
  /** Default: 10 minutes. */
  readonly timeoutMs?: number;
}

/** A Debian machine under systemd, with sshd, at an address that this machine and the site's other hosts reach. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly port: 22;
  /** Who to log in as: root. `deploy`, who may sudo without a password, takes the same key. */
  readonly user: "root";
  /** Its public key, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The key that opens it, PEM text. */
  readonly privateKey: string;
  /** The cached root that it is a copy of, on this machine. */
  readonly root: string;
  /** Its /var/lib/containers, on this machine. */
  readonly containers: string;
  /** Runs a command as root by bash, without SSH: also while the host is unreachable or its sshd is down. Waits for its end. */
  exec(command: string, options?: ExecOptions): Promise<RunResult>;
  /** Restarts it in order, on the same disk, and waits until SSH answers. */
  reboot(): Promise<void>;
  /** Stops it at once, as a power cut does. */
  kill(): Promise<void>;
  /** Boots it again after `kill`, on the same disk, and waits until SSH answers. Nothing if it runs. */
  start(): Promise<void>;
  /** Drops every packet to and from it (true), or none any more (false). */
  unreachable(on: boolean): Promise<void>;
  /** Fills its disk until nothing more can be written (true), or gives the space back (false). For hosts with a `diskSize`. */
  fillDisk(on: boolean): Promise<void>;
  /** Gives it a disk while it runs, as a volume is attached to an instance. It stays over reboots. */
  attach(disk: Disk): Promise<void>;
  /** Takes a disk from it, mounted or not; the disk's file stays. */
  detach(disk: Disk): Promise<void>;
  /** What sshd has logged since the last boot. */
  sshLog(): Promise<string>;
  /** Ends it and removes its disk. */
  stop(): Promise<void>;
}

const bootTimeoutMs = 60_000;
const environment = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "USER=root",
  "LANG=C.UTF-8",
];

/** Whether an SSH server greets at an address. RFC 4253, section 4.2: it begins with `SSH-`. */
function greets(address: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22, timeout: 2_000 });
    const end = (answer: true | undefined) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (data) => {
      end(data.toString().startsWith("SSH-") ? true : undefined)();
    });
    socket.once("error", end(undefined));
    socket.once("timeout", end(undefined));
    socket.once("close", end(undefined));
  });
}

async function answers(machine: Machine): Promise<void> {
  await poll(
    () => {
      if (!running(machine))
        throw new RehearsalError(
          `The rehearsal's host "${machine.name}" stopped while it booted. Its console said:\n${consoleTail(machine)}`,
        );
      return greets(machine.address);
    },
    {
      timeoutMs: bootTimeoutMs,
      failure: () =>
        `The rehearsal's host "${machine.name}" doesn't answer on ${machine.address}:22 after ${bootTimeoutMs / 1000} s. Its console said:\n${consoleTail(machine)}`,
    },
  );
}

async function exec(machine: Machine, command: string, options: ExecOptions = {}): Promise<RunResult> {
  const init = guestInit(machine);
  if (init === undefined)
    throw new RehearsalError(`The rehearsal's host "${machine.name}" isn't running: \`start()\` boots it.`);
  return run(
    [...enterGuest(init), "--", "/usr/bin/env", "-i", ...trusted(init), ...environment, "/bin/bash", "-c", command],
    {
      timeoutMs: 600_000,
      ...options,
    },
  );
}

/** What the guest's logins get from /etc/environment: where the trusted CAs are. */
function trusted(init: number): string[] {
  return readFileSync(`/proc/${init}/root/etc/environment`, "utf8")
    .split("\n")
    .filter((line) => /^\w+=/.test(line));
}

async function reboot(machine: Machine): Promise<void> {
  const before = guestInit(machine);
  await exec(machine, "systemctl reboot");
  const failure = (): string =>
    `The rehearsal's host "${machine.name}" doesn't go down for its reboot. Its console said:\n${consoleTail(machine)}`;
  await poll(() => (guestInit(machine) === before ? undefined : true), { timeoutMs: 120_000, failure });
  await answers(machine);
}

async function fillDisk(machine: Machine, on: boolean): Promise<void> {
  if (machine.diskSize === undefined)
    throw new RehearsalError(
      `The disk of "${machine.name}" is this machine's own, which isn't to be filled: boot the host with a diskSize.`,
    );
  // dd writes until it can't: fallocate leaves the blocks that don't make up a whole.
  const filled = await exec(
    machine,
    on ? "dd if=/dev/zero of=/var/filler bs=64k; df --output=avail -B1 / | tail -1" : "rm -f /var/filler; echo 0",
  );
  if (filled.stdout.trim() !== "0")
    throw new Error(`The disk of "${machine.name}" can't be filled: ${filled.stdout}${filled.stderr}`);
}

async function attach(machine: Machine, disk: Disk): Promise<void> {
  const device = await addDisk(machine.folder, disk);
  if (!running(machine)) return;
  // The guest may make no device nodes; this process may, in its /dev.
  const path = guestPath(disk.serial);
  const made = await exec(
    machine,
    `mkdir -p ${path.slice(0, path.lastIndexOf("/"))} && { [ -b ${path} ] || mknod -m 600 ${path} b 7 ${device.replace(/^\D+/, "")}; }`,
  );
  if (made.code !== 0)
    throw new Error(`The disk ${disk.serial} can't be attached to "${machine.name}": ${made.stderr}`);
}

async function detach(machine: Machine, disk: Disk): Promise<void> {
  await dropDisk(machine.folder, disk);
  const path = guestPath(disk.serial);
  // One that was there at boot is a mount of its own.
  if (running(machine)) await exec(machine, `umount -l ${path} 2>/dev/null; rm -f ${path}`);
}

/** What `bootHost` needs: a machine that has been planned and written down, and the network it is part of. */
export interface BootOptions {
  readonly machine: Machine;
  readonly network: Network;
}

async function start(machine: Machine, network: Network): Promise<void> {
  await startMachine(machine, network);
  // The start-up script joins its control group within milliseconds; before that the machine looks stopped.
  await poll(() => running(machine) || undefined, {
    timeoutMs: 5_000,
    everyMs: 5,
    failure: () => `The rehearsal's host "${machine.name}" doesn't start:\n${consoleTail(machine)}`,
  });
  await answers(machine);
}

/** Boots a host and waits until it answers SSH. One that runs already is returned as it is. */
export async function bootHost({ machine, network }: BootOptions): Promise<Host> {
  await seed(machine);
  await start(machine, network);
  return hostOf({ machine, network });
}

/** A host that was booted before, by whatever process, running or not. */
export function hostOf({ machine, network }: BootOptions): Host {
  return {
    name: machine.name,
    address: machine.address,
    port: 22,
    user: "root",
    ...readKeys(machine),
    root: machine.root,
    containers: join(machine.folder, "disk", "containers"),
    start: () => start(machine, network),
    exec: (command, options) => exec(machine, command, options),
    reboot: () => reboot(machine),
    kill: () => removeGroup(machine.unit),
    unreachable: (on) => cutOff(machine, on),
    fillDisk: (on) => fillDisk(machine, on),
    attach: (disk) => attach(machine, disk),
    detach: (disk) => detach(machine, disk),
    sshLog: async () => (await exec(machine, "journalctl --boot --unit ssh --output cat --no-pager")).stdout,
    stop: () => removeMachine(machine),
  };
}
