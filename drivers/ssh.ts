import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { DriverError, Interrupted } from "./error";
import { knownHosts, privateKeyText, sshArguments, withOwnAgent, type SshConnection } from "./sshArguments";
import { explainEnd, worthRetrying, type SshEnd } from "./sshErrors";

export type { SshConnection } from "./sshArguments";

/** Lines of the remote program's stdout that begin so are for the driver; everything else is progress. */
const mark = "@homeport ";

export interface Session {
  /** Sends bytes to the remote program's stdin, as fast as it takes them. */
  send(chunks: AsyncIterable<Buffer> | Readable | Buffer): Promise<void>;
}

export interface SessionOptions {
  readonly connection: SshConnection;
  /** The remote command line: constant, without a secret, and it prints `@homeport READY` first. */
  readonly command: string;
  /** Sent first; made while the connection is. */
  readonly input: () => Promise<Buffer>;
  /** Called for each `@homeport <line>` but READY, one after the other; its error ends the session. */
  readonly onFrame: (line: string, session: Session) => Promise<void> | void;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Pauses before further tries to connect, milliseconds. @default 1 s and 3 s */
  readonly retries?: readonly number[];
  /** Milliseconds for one try, from start to READY. @default 30 s */
  readonly deadline?: number;
}

/**
 * Runs one remote program over one SSH session, with tries to connect that are bounded in number and time.
 * @returns how it ended, once READY has come
 * @throws DriverError where no session came about; Interrupted where the signal ended it
 */
export async function runSession(options: SessionOptions): Promise<SshEnd> {
  const { connection, progress, signal } = options;
  const folder = mkdtempSync(join(tmpdir(), "homeport-ssh-"));
  try {
    const file = join(folder, "known_hosts");
    writeFileSync(file, knownHosts(connection), { mode: 0o600 });
    const pauses = options.retries ?? [1_000, 3_000];
    for (let tries = 0; ; tries++) {
      const end = await oneSession(options, file);
      if (signal.aborted) throw new Interrupted();
      if (end.started) return end;
      const pause = pauses[tries];
      if (pause === undefined || !worthRetrying(end)) throw explainEnd(end, connection);
      progress(`${connection.address}: no SSH session yet (${explainEnd(end, connection).parts.what}) Trying again.`);
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is kept of stderr to explain a failure. */
const kept = 8_192;

async function oneSession(options: SessionOptions, knownHostsFile: string): Promise<SshEnd> {
  const { connection, command, input, progress, signal } = options;
  const child = startSsh(connection, sshArguments(connection, knownHostsFile, command));
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("ssh was started without its pipes.");
  const seen = { started: false, late: false, tail: "" };
  const failures: Error[] = [];
  const stop = (): void => void child.kill("SIGTERM");
  const fail = (error: unknown): void => {
    failures.push(error instanceof Error ? error : new Error(String(error)));
    stop();
  };
  const timer = setTimeout(() => {
    seen.late = true;
    stop();
  }, options.deadline ?? 30_000);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  // The remote side may end before it has read everything: its exit says why, not the broken pipe.
  stdin.on("error", () => undefined);
  const session: Session = { send: (chunks) => sendAll(stdin, chunks) };
  const lines = createInterface({ input: stdout, crlfDelay: Infinity });
  let frames = Promise.resolve();
  lines.on("line", (line) => {
    if (line === `${mark}READY`) {
      seen.started = true;
      clearTimeout(timer);
    } else if (line.startsWith(mark)) {
      frames = frames
        .then(() => (failures.length === 0 ? options.onFrame(line.slice(mark.length), session) : undefined))
        .catch(fail);
    } else if (line.trim() !== "") progress(line);
  });
  createInterface({ input: stderr, crlfDelay: Infinity }).on("line", (line) => {
    seen.tail = `${seen.tail}${line}\n`.slice(-kept);
    if (seen.started) progress(line);
  });
  input().then(
    (bytes) => stdin.write(bytes),
    (error: unknown) => {
      fail(error);
    },
  );
  const code = await ended(child, connection);
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
  await frames;
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  const timedOut = seen.late ? "Connection timed out before the session began.\n" : "";
  return { code, stderr: seen.tail + timedOut, started: seen.started };
}

/** The key reaches ssh through an agent of its own, by a pipe: never by argv, environment or a file. */
function startSsh(connection: SshConnection, arguments_: string[]): ChildProcess {
  const { privateKey } = connection;
  const env = { ...process.env, LC_ALL: "C", HOMEPORT_AUTH_SOCK: process.env.SSH_AUTH_SOCK ?? "" };
  if (privateKey === undefined) return spawn("ssh", arguments_, { stdio: ["pipe", "pipe", "pipe"], env });
  const child = spawn(...withOwnAgent(arguments_), { stdio: ["pipe", "pipe", "pipe", "pipe"], env });
  const pipe = child.stdio[3];
  if (pipe && "end" in pipe) {
    pipe.on("error", () => undefined);
    pipe.end(privateKeyText(privateKey));
  }
  return child;
}

function ended(child: ChildProcess, { address }: SshConnection): Promise<number | null> {
  return new Promise((done, fail) => {
    child.once("close", done);
    child.once("error", (error: NodeJS.ErrnoException) => {
      fail(
        new DriverError({
          what: "The OpenSSH client could not be started.",
          where: `this machine, on the way to ${address}`,
          why: error.code === "ENOENT" ? `${child.spawnfile} isn't on PATH` : error.message,
          fix: "install it: apt-get install openssh-client",
        }),
      );
    });
  });
}

async function sendAll(stdin: NodeJS.WritableStream, chunks: AsyncIterable<Buffer> | Readable | Buffer): Promise<void> {
  const parts: AsyncIterable<Buffer> | Iterable<Buffer> = Buffer.isBuffer(chunks)
    ? [chunks]
    : (chunks as AsyncIterable<Buffer>);
  for await (const part of parts) {
    if (!(stdin as NodeJS.WritableStream & { writable: boolean }).writable) return;
    if (!stdin.write(part)) await drained(stdin);
  }
}

/** Until the pipe takes more, or will never again. */
const drained = (stdin: NodeJS.WritableStream): Promise<void> =>
  new Promise((done) => {
    const end = (): void => {
      for (const event of ["drain", "close", "error"]) stdin.removeListener(event, end);
      done();
    };
    for (const event of ["drain", "close", "error"]) stdin.once(event, end);
  });
