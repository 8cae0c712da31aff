import { existsSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RehearsalError, poll } from "./run";

/**
 * Where a control group of one name lies: in the version 2 hierarchy, and in systemd's own of version 1 where the machine
 * has both (systemd-nspawn copies its place in the latter to the former).
 */
export function groupFolders(name: string, mounts = readFileSync("/proc/mounts", "utf8")): [string, ...string[]] {
  const lines = mounts.split("\n").map((line) => line.split(" "));
  const unified = lines.find((fields) => fields[2] === "cgroup2")?.[1];
  const legacy = lines.find((fields) => fields[2] === "cgroup" && fields[3]?.split(",").includes("name=systemd"))?.[1];
  if (unified === undefined) {
    throw new RehearsalError(
      "This machine has no cgroup version 2 hierarchy mounted, and rehearsal hosts need one: `mount -t cgroup2 none /sys/fs/cgroup/unified`.",
    );
  }
  return [join(unified, name), ...(legacy === undefined ? [] : [join(legacy, name)])];
}

/** The processes in a control group and below it. */
export function processesIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  try {
    const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    return [...own, ...below.flatMap((entry) => processesIn(join(folder, entry.name)))];
  } catch {
    return []; // Control groups come and go while they are read.
  }
}

function removeTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  rmdirSync(folder);
}

function signalAll(folder: string): void {
  const killFile = join(folder, "cgroup.kill"); // Since Linux 5.14; see cgroup-v2, "cgroup.kill".
  if (existsSync(killFile)) {
    writeFileSync(killFile, "1");
    return;
  }
  for (const pid of processesIn(folder)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      continue; // It ended first.
    }
  }
}

async function killGroup(name: string): Promise<void> {
  const [folder] = groupFolders(name);
  await poll(
    () => {
      if (processesIn(folder).length === 0) return true;
      signalAll(folder);
      return undefined;
    },
    {
      timeoutMs: 15_000,
      everyMs: 20,
      failure: () =>
        `Processes ${processesIn(folder).join(", ")} of ${name} outlive SIGKILL: they wait in the kernel (see \`ps -o stat,wchan\`).`,
    },
  );
}

/**
 * Ends every process of a control group with SIGKILL, at once, as a power cut does, waits for their end, and removes it.
 *
 * A group that has been killed can't be used again: Linux 6.18 kills at birth what is cloned into one of its subgroups
 * from another that counts fewer kills, so that a host booted in it loses services at random.
 */
export async function removeGroup(name: string): Promise<void> {
  await killGroup(name);
  for (const folder of groupFolders(name)) {
    await poll(
      () => {
        if (!existsSync(folder)) return true;
        try {
          removeTree(folder);
          return true;
        } catch {
          return undefined; // A process that has just ended still counts for a moment.
        }
      },
      { timeoutMs: 5_000, everyMs: 20, failure: () => `${folder} can't be removed: something still runs in it.` },
    );
  }
}
