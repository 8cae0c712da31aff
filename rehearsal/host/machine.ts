import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { groupFolders, processesIn, removeGroup } from "./cgroup";
import { disksOf, dropDisk, ensureLoops } from "./disks";
import type { Network } from "./network";
import { macOf } from "./network";
import { RehearsalError, must, run } from "./run";

/** All that a machine uses on this one, by name: written down before any of it is made, so that all of it can be removed. */
export interface Machine {
  /** The host's name, as `site.host(name)` was given it and as the guest's hostname. */
  readonly name: string;
  /** systemd-nspawn's name for it; also its control group's and its network namespace's. */
  readonly unit: string;
  /** The veth end on this machine; the other end is the guest's eth0. */
  readonly link: string;
  readonly address: string;
  readonly mac: string;
  /** Its disk, keys and console log. */
  readonly folder: string;
  /** The cached root it runs a copy of. */
  readonly root: string;
  /** The disk's size in bytes, kept in memory; undefined: as much as the folder's file system has. */
  readonly diskSize?: number;
}

/** What decides a machine's names. */
export interface MachinePlan {
  readonly name: string;
  /** Counts a site's machines from 0. */
  readonly index: number;
  /** The site's short unique name, 6 characters. */
  readonly tag: string;
  readonly network: Network;
  readonly folder: string;
  readonly root: string;
  readonly diskSize?: number;
}

/** Names all that a machine will use. Nothing is made yet. */
export function planMachine(plan: MachinePlan): Machine {
  if (!/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(plan.name)) {
    throw new RehearsalError(
      `"${plan.name}" can't be a rehearsal host's name: use 1 to 30 lower-case letters, digits and inner hyphens, a letter first.`,
    );
  }
  if (plan.index > 200)
    throw new RehearsalError("A rehearsal site holds 200 hosts at most: close it and open another.");
  const address = `${plan.network.subnet}.${10 + plan.index}`;
  return {
    name: plan.name,
    unit: `homeport-${plan.tag}-${plan.name}`,
    link: `hp${plan.tag}v${plan.index}`,
    address,
    mac: macOf(address),
    folder: plan.folder,
    root: plan.root,
    ...(plan.diskSize === undefined ? {} : { diskSize: plan.diskSize }),
  };
}

const diskOf = (machine: Machine): string => join(machine.folder, "disk");
const overlayMagic = 0x794c7630; // statfs(2), OVERLAYFS_SUPER_MAGIC
const defaultMemoryDisk = 16 * 2 ** 30;

function mounted(path: string): boolean {
  return readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === path.replaceAll(" ", "\\040"));
}

/** An overlay's upper layer can't lie on another overlay, as in a container: then, and for a given size, it lies in memory. */
async function setUpDisk(machine: Machine): Promise<void> {
  const disk = diskOf(machine);
  mkdirSync(disk, { recursive: true });
  const size = machine.diskSize ?? (statfsSync(disk).type === overlayMagic ? defaultMemoryDisk : undefined);
  if (size === undefined || mounted(disk)) return;
  await must(["mount", "-t", "tmpfs", "-o", `mode=0755,size=${size}`, "tmpfs", disk]);
}

async function setUpLink(machine: Machine, network: Network): Promise<void> {
  const { unit, link } = machine;
  const inGuest = ["ip", "-netns", unit] as const;
  if (!existsSync(`/run/netns/${unit}`)) await must(["ip", "netns", "add", unit]);
  if ((await run(["ip", "link", "show", link])).code !== 0) {
    const mtu = ["mtu", String(network.mtu)];
    const peer = ["peer", "name", "eth0", "address", machine.mac, "netns", unit];
    await must(["ip", "link", "add", link, ...mtu, "type", "veth", ...peer]);
    await must([...inGuest, "link", "set", "eth0", ...mtu]);
  }
  await must(["ip", "link", "set", link, "master", network.bridge, "up"]);
  await must([...inGuest, "link", "set", "lo", "up"]);
  await must([...inGuest, "addr", "replace", `${machine.address}/24`, "dev", "eth0"]);
  await must([...inGuest, "link", "set", "eth0", "up"]);
  await must([...inGuest, "route", "replace", "default", "via", network.gateway]);
  // A neighbour that is known for good: packets to a host that drops them vanish, instead of failing for want of ARP.
  const neighbour = [machine.address, "lladdr", machine.mac, "dev", network.bridge, "nud", "permanent"];
  await must(["ip", "neigh", "replace", ...neighbour]);
}

/** Boots the machine, with what it needs around it, unless it runs. It outlives this process. */
export async function startMachine(machine: Machine, network: Network): Promise<void> {
  if (running(machine)) return;
  await removeGroup(machine.unit);
  await setUpDisk(machine);
  await ensureLoops(machine.folder);
  await setUpLink(machine, network);
  const console = openSync(join(machine.folder, "console.log"), "a", 0o600);
  try {
    const { folder, root, unit, name } = machine;
    const args = [folder, root, unit, name, `/run/netns/${unit}`, ...groupFolders(unit)];
    spawn(join(__dirname, "machine.sh"), args, { stdio: ["ignore", console, console], detached: true }).unref();
  } finally {
    closeSync(console);
  }
}

/** Whether anything of the machine runs. */
export function running(machine: Machine): boolean {
  return processesIn(groupFolders(machine.unit)[0]).length > 0;
}

/** The guest's PID 1 as this machine sees it; undefined before it is there. */
export function guestInit(machine: Machine): number | undefined {
  return processesIn(groupFolders(machine.unit)[0]).find((pid) => {
    try {
      // Two PIDs, ours and 1: a process of a container in the guest has three. See proc_pid_status(5), NSpid.
      return /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  });
}

/** The beginning of a command line that runs as a process of the guest. @param init the guest's PID 1 */
export const enterGuest = (init: number): [string, ...string[]] => [
  "nsenter",
  `--target=${init}`,
  "--mount",
  "--uts",
  "--ipc",
  "--net",
  "--pid",
  "--cgroup",
  "--root",
  "--wd",
];

/** The last lines of the machine's console, for an error's text. */
export function consoleTail(machine: Machine): string {
  const file = join(machine.folder, "console.log");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-10).join("\n") : "";
}

/** Drops every packet to and from the machine, or stops doing so. A bridge port that is disabled forwards nothing. */
export async function cutOff(machine: Machine, on: boolean): Promise<void> {
  // bridge(8), as `ip link set … type bridge_slave state 0` reports success and changes nothing.
  await must(["bridge", "link", "set", "dev", machine.link, "state", on ? "0" : "3"]);
}

/** Ends the machine and removes all that it used. What is already gone is no error. */
export async function removeMachine(machine: Machine): Promise<void> {
  await removeGroup(machine.unit);
  await run(["ip", "netns", "del", machine.unit]);
  await run(["ip", "link", "del", machine.link]);
  while (mounted(diskOf(machine))) await must(["umount", diskOf(machine)]);
  for (const disk of disksOf(machine.folder)) await dropDisk(machine.folder, disk);
  rmSync(machine.folder, { recursive: true, force: true });
}
