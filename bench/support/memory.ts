import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setInterval } from "node:timers";
import type { Log } from "../../rehearsal/host/run";
import type { RehearsedStack } from "../../rehearsal/stack";

/** Which part of a run a process is, by its command line; the first that fits. */
const parts: readonly (readonly [part: string, commandLine: RegExp])[] = [
  ["driver", /driver\.cjs/],
  ["program", /^\S*node .*@pulumi\/pulumi\/cmd\/run/],
  ["plugins", /pulumi-(resource|language|analyzer)-/],
  ["engine", /^\S*\/pulumi /],
  ["ssh", /^\S*ssh(-agent|-add)? /],
];

interface Process {
  readonly pid: number;
  readonly parent: number;
}

/** All processes of this machine, from proc_pid_stat(5). Those that end meanwhile are left out. */
function processes(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [, parent = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return [{ pid: Number(name), parent: Number(parent) }];
    } catch {
      return [];
    }
  });
}

/** A process and all below it. */
export function treeOf(root: number, all: readonly Process[]): number[] {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of all) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

const partOf = (commandLine: string): string => parts.find(([, one]) => one.test(commandLine))?.[0] ?? "other";

/** Resident MiB of each part of a process tree now. Pages that processes share count once for each. */
function residentNow(root: number): Map<string, number> {
  const sums = new Map<string, number>();
  for (const pid of treeOf(root, processes())) {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
      const part = partOf(commandLine);
      sums.set(part, (sums.get(part) ?? 0) + (Number(pages) * 4096) / 2 ** 20);
    } catch {
      // It has ended.
    }
  }
  return sums;
}

/** What a run took. */
export interface Use {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
  /** The most MiB at one moment, all together and of each part by itself. */
  readonly peak: { readonly all: number; readonly parts: ReadonlyMap<string, number> };
}

/** How a run is watched. */
export interface WatchOptions {
  readonly onLine?: Log;
  /** On top of the stack's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `pulumi` on a stack and looks at the memory of all its processes every 50 ms. */
export function watched(stack: RehearsedStack, args: readonly string[], options: WatchOptions = {}): Promise<Use> {
  const { onLine } = options;
  const { argv, cwd, env: own } = stack.command(args);
  const env = { ...own, ...options.env };
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      for (const line of chunk.toString().split("\n")) if (line.trim() !== "") onLine?.(line);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const highest = new Map<string, number>();
    let all = 0;
    const timer = setInterval(() => {
      if (child.pid === undefined) return;
      const now = residentNow(child.pid);
      all = Math.max(
        all,
        [...now.values()].reduce((sum, one) => sum + one, 0),
      );
      for (const [part, mib] of now) highest.set(part, Math.max(mib, highest.get(part) ?? 0));
    }, 50);
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - started) / 1000;
      resolve({ code: code ?? 1, output, seconds, peak: { all, parts: highest } });
    });
  });
}
