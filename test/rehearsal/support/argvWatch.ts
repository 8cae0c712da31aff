import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * Collects the command lines of every process of this machine, those of its rehearsal hosts included (they share the
 * kernel), by looking at all of them some fifty times a second.
 */
export class ArgvWatch {
  private constructor(private readonly child: ChildProcess) {}

  static async start(): Promise<ArgvWatch> {
    const child = spawn(process.execPath, ["-e", sampler], { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise((done) => child.stdout.once("data", done));
    return new ArgvWatch(child);
  }

  /** Ends the watch. @returns every command line seen, its words parted by spaces, and how often all were looked at */
  async stop(): Promise<{ readonly commandLines: readonly string[]; readonly looks: number }> {
    const { stdin, stdout } = this.child;
    if (stdin === null || stdout === null) throw new Error("The watcher was started without its pipes.");
    const lines: string[] = [];
    createInterface({ input: stdout }).on("line", (line) => lines.push(line));
    const closed = new Promise((done) => this.child.once("close", done));
    stdin.end();
    await closed;
    const looks = Number(lines.pop());
    return { commandLines: lines.map((line) => JSON.parse(line) as string), looks };
  }
}

/** In a process of its own: it reads some hundred files at a time, and the test's own work must not hold it up. */
const sampler = String.raw`
const { readdirSync, openSync, readSync, closeSync } = require("node:fs");
const buffer = Buffer.alloc(262144);
const seen = new Set();
let looks = 0, ended = false;
process.stdin.on("data", () => undefined).on("end", () => { ended = true; });
function look() {
  if (ended) {
    for (const line of seen) console.log(JSON.stringify(line.replaceAll("\0", " ")));
    console.log(looks);
    return;
  }
  for (const pid of readdirSync("/proc")) {
    if (!(pid >= "1" && pid < ":")) continue;
    try {
      const file = openSync("/proc/" + pid + "/cmdline");
      const length = readSync(file, buffer);
      closeSync(file);
      if (length > 0) seen.add(buffer.latin1Slice(0, length));
    } catch {
      // It has ended.
    }
  }
  looks += 1;
  setTimeout(look, 10);
}
console.log("ready");
look();
`;
