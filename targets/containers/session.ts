import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { quote } from "../../components/values/shell";
import { DriverError } from "../../drivers/error";

/** Where a service keeps its environment and folder, for sessions that are opened in its instance later. */
const file = "/tmp/homeport-shell";

/** Run by the service's shell before anything else. Nobody but the service's user and root can read what it writes. */
export const rememberPlace = `( umask 077; export PWD; export -p >${file} )`;

/**
 * A command line of a login shell that runs as the service does: with its environment, also what its image sets, and in its
 * folder. Without what was remembered it has what the session has, which are the service's variables.
 */
export const inServicesPlace = (line: string): string => `[ -r ${file} ] && . ${file} && cd "$PWD"; ${line}`;

/**
 * Runs a command line at an address by ssh, attached to this process's own streams.
 * @param input what it reads in the place of this process's stdin
 * @returns its exit code; 255 where ssh itself failed, as ssh(1) has it
 */
export type Ssh = (address: string, line: string, input?: Readable) => Promise<number>;

/** The person's own ssh, with their keys, agent and known hosts. */
export const ownSsh: Ssh = (address, line, input) =>
  new Promise((resolve, reject) => {
    const terminal = input === undefined && process.stdin.isTTY;
    const child = spawn("ssh", [terminal ? "-t" : "-T", address, line], {
      stdio: [input === undefined ? "inherit" : "pipe", "inherit", "inherit"],
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      input?.destroy();
      resolve(code ?? sshFailed);
    });
    if (input === undefined || child.stdin === null) return;
    // A far side that ends early breaks the pipe; its exit code tells why.
    child.stdin.on("error", () => undefined);
    input.once("error", (error) => {
      child.kill("SIGTERM");
      reject(error);
    });
    input.pipe(child.stdin);
  });

/** How ssh ends where no session was opened. */
const sshFailed = 255;

/** A session in a running instance, for what the platform's API has no call for. */
export interface Session {
  /** The job or command, as a person calls it. */
  readonly what: string;
  /** The service, as a person finds it. */
  readonly where: string;
  /** As ssh takes it. */
  readonly address: string;
  /** What a person may not have done yet, so that the platform knows their key. */
  readonly setUp: string;
  /** The command that does it without Homeport, where that isn't the command line itself. */
  readonly byHand?: string;
}

/** What puts a file there without Homeport. */
export const scpLine = ({ address }: Session, file: { readonly path: string; readonly to: string }): string =>
  `scp ${quote(file.path)} ${quote(`${address}:${file.to}`)}`;

/**
 * Runs a command line in a service's running instance, as the service runs.
 * @returns its exit code
 * @throws DriverError where no session can be had
 */
export async function runInInstance(ssh: Ssh, session: Session, line: string, input?: Readable): Promise<number> {
  const { what, where, address, setUp } = session;
  const whole = inServicesPlace(line);
  const failed = (why: string): DriverError =>
    new DriverError({
      what: `${what} could not be run in the service's instance.`,
      where,
      why,
      fix: `${setUp}. By hand it is: ${session.byHand ?? `ssh ${address} ${quote(whole)}`}`,
    });
  const code = await ssh(address, whole, input).catch((error: unknown) => {
    throw failed(error instanceof Error ? error.message : String(error));
  });
  if (code === sshFailed) throw failed("ssh could not open a session; it says why above");
  return code;
}
