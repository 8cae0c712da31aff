import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { DriverError } from "../../drivers/error";
import { knownHosts, privateKeyText, sshArguments, withOwnAgent } from "../../drivers/sshArguments";
import { explainEnd } from "../../drivers/sshErrors";
import { exitCodes } from "../operations";
import { remoteCommand } from "./operationsScripts";
import type { Connection } from "./plan";

/** One ssh client that runs a script. */
export interface Client {
  readonly child: ChildProcess;
  /** Its end: the script's exit code. @throws DriverError where no session came about or was lost */
  readonly ended: Promise<number>;
}

export interface ClientOptions {
  readonly connection: Connection;
  readonly script: string;
  /** Of stdin and stdout; stderr is passed on and its end kept, to explain a failure. */
  readonly stdio: readonly ["inherit" | "pipe" | "ignore", "inherit" | "pipe"];
  /** Whether the far side is to have a terminal. */
  readonly terminal?: boolean;
  /** Keeps the terminal's Ctrl-C from ending ssh itself. */
  readonly apart?: boolean;
  /** False keeps stderr to ourselves. @default true */
  readonly showErrors?: boolean;
}

const keptErrors = 8_192;

/** Starts ssh with the stack's key and host key; nothing of both is on its command line. */
export function startClient(options: ClientOptions): Client {
  const { connection, script, terminal = false } = options;
  const folder = mkdtempSync(join(tmpdir(), "homeport-ssh-"));
  const mark = join(folder, "started");
  const clear = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clear);
  writeFileSync(join(folder, "known_hosts"), knownHosts(connection), { mode: 0o600 });
  const [noTerminal = "-T", ...rest] = sshArguments(
    connection,
    join(folder, "known_hosts"),
    remoteCommand(connection.user, script),
  );
  // The first value of an option counts (ssh_config(5)). A local command runs once the session is there, whatever the far
  // side prints or reads: that tells a lost way from a failed program, which may both end with 255.
  const session = ["-o", "PermitLocalCommand=yes", "-o", `LocalCommand=touch "${mark}"`];
  const argv = [terminal ? "-t" : noTerminal, ...session, ...rest];
  const child = spawnSsh(connection, argv, [...options.stdio, "pipe"], options.apart ?? false);
  let tail = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-keptErrors);
    if (options.showErrors !== false) process.stderr.write(chunk);
  });
  const ended = new Promise<number>((done, fail) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      fail(error.code === "ENOENT" ? missingClient(child, connection) : error);
    });
    child.once("close", (code, signal) => {
      const started = existsSync(mark);
      const refused = !started || /^sudo: /m.test(tail);
      if (signal === "SIGINT" || signal === "SIGTERM") done(exitCodes.interrupted);
      else if (code === 255 || code === null || (code !== 0 && refused)) {
        fail(started && !refused ? lost(connection) : explainEnd({ code, stderr: tail, started: false }, connection));
      } else done(code);
    });
  }).finally(() => {
    process.removeListener("exit", clear);
    clear();
  });
  return { child, ended };
}

/** As drivers/ssh.ts does it: the key goes to an agent of its own through a pipe. */
function spawnSsh(
  connection: Connection,
  argv: string[],
  stdio: ("inherit" | "pipe" | "ignore")[],
  detached: boolean,
): ChildProcess {
  const { privateKey } = connection;
  const env = { ...process.env, LC_ALL: "C", HOMEPORT_AUTH_SOCK: process.env.SSH_AUTH_SOCK ?? "" };
  if (privateKey === undefined) return spawn("ssh", argv, { stdio, env, detached });
  const child = spawn(...withOwnAgent(argv), { stdio: [...stdio, "pipe"], env, detached });
  const pipe = child.stdio[3];
  if (pipe && "end" in pipe) {
    pipe.on("error", () => undefined);
    pipe.end(privateKeyText(privateKey));
  }
  return child;
}

const missingClient = (child: ChildProcess, { address }: Connection): DriverError =>
  new DriverError({
    what: "The OpenSSH client could not be started.",
    where: `this machine, on the way to ${address}`,
    why: `${child.spawnfile} isn't on PATH`,
    fix: "install it: apt-get install openssh-client",
  });

const lost = ({ address, port, user }: Connection): DriverError =>
  new DriverError({
    what: "The connection to the host was lost.",
    where: `${user}@${address} port ${port}`,
    why: "the network broke off, or the host went down; a job, backup or restore that was begun runs on there, a command doesn't",
    fix: "look how it is: homeport status",
  });

/**
 * Runs a script and gives back what it prints.
 * @throws DriverError also where it ends with another code than 0, with its last words
 */
export async function capture(connection: Connection, script: string): Promise<string> {
  const { child, ended } = startClient({ connection, script, stdio: ["ignore", "pipe"], showErrors: false });
  const [out, err]: Buffer[][] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => out?.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err?.push(chunk));
  const code = await ended;
  if (code === 0) return Buffer.concat(out ?? []).toString("utf8");
  const words =
    Buffer.concat(err ?? [])
      .toString("utf8")
      .trim()
      .split("\n")
      .at(-1) ?? "";
  throw unanswered(connection, code, words);
}

const unanswered = ({ address, user }: Connection, code: number, words: string): DriverError =>
  new DriverError({
    what: code === exitCodes.absent ? "Nothing of the app is on the host yet." : "The host couldn't answer.",
    where: `${user}@${address}`,
    why: words === "" ? `what was run there ended with code ${code}` : words,
    fix: code === exitCodes.absent ? "deploy it: pulumi up" : "homeport doctor looks at the host",
  });

/** Runs a script with this process's own streams, and a terminal where there is one on both sides. */
export async function attach(connection: Connection, script: (terminal: boolean) => string): Promise<number> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const { child, ended } = startClient({
    connection,
    script: script(terminal),
    stdio: ["inherit", "inherit"],
    terminal,
  });
  return withSignals((signal) => void child.kill(signal), ended);
}

/** Runs a script line by line until it ends or is given up. */
export async function stream(
  connection: Connection,
  script: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { child, ended } = startClient({ connection, script, stdio: ["ignore", "pipe"] });
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  if (child.stdout !== null) createInterface({ input: child.stdout, crlfDelay: Infinity }).on("line", onLine);
  try {
    const code = await ended;
    if (code !== 0 && !signal.aborted) throw unanswered(connection, code, "");
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Runs a script that follows a unit. Ctrl-C asks it to stop the unit, a second one leaves it to itself.
 * @param send what goes to the script first
 */
export async function follow(
  connection: Connection,
  script: string,
  send?: (stdin: NodeJS.WritableStream) => Promise<void>,
): Promise<number> {
  const { child, ended } = startClient({ connection, script, stdio: ["pipe", "inherit"], apart: true });
  // Its end is told by the exit code, not by a broken pipe.
  child.stdin?.on("error", () => undefined);
  let asked = false;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (signal !== "SIGINT" || asked) {
      child.kill("SIGTERM");
      return;
    }
    asked = true;
    process.stderr.write("Stopping it; Ctrl-C again leaves it running.\n");
    child.stdin?.write("stop\n");
  };
  const sent = child.stdin === null ? undefined : send?.(child.stdin);
  const failed = sent?.catch((error: unknown) => {
    child.kill("SIGTERM");
    throw error;
  });
  const [code] = await Promise.all([withSignals(interrupt, ended), failed]);
  return code;
}

/** Runs a script with these bytes as its input. What it prints to stdout is dropped. */
export async function feed(connection: Connection, script: string, input: Readable): Promise<number> {
  const { child, ended } = startClient({ connection, script, stdio: ["pipe", "pipe"] });
  child.stdout?.resume();
  // A far side that ends early breaks the pipe; its exit code tells why. What this machine can't read is told itself.
  let unread: Error | undefined;
  input.once("error", (error) => {
    unread = error;
    child.kill("SIGTERM");
  });
  child.stdin?.on("error", () => undefined);
  if (child.stdin !== null) input.pipe(child.stdin);
  const code = await withSignals((signal) => void child.kill(signal), ended).finally(() => input.destroy());
  if (unread !== undefined) throw unread;
  return code;
}

/** Hands on what this process is asked to end by, instead of ending at once. */
async function withSignals(handle: (signal: NodeJS.Signals) => void, ended: Promise<number>): Promise<number> {
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, handle);
  try {
    return await ended;
  } finally {
    for (const signal of signals) process.removeListener(signal, handle);
  }
}
