import { spawn } from "node:child_process";

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
 * @returns its exit code; 255 where ssh itself failed, as ssh(1) has it
 */
export type Ssh = (address: string, line: string) => Promise<number>;

/** The person's own ssh, with their keys, agent and known hosts. */
export const ownSsh: Ssh = (address, line) =>
  new Promise((resolve, reject) => {
    const child = spawn("ssh", [process.stdin.isTTY ? "-t" : "-T", address, line], { stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code) => {
      resolve(code ?? sshFailed);
    });
  });
/** How ssh ends where no session was opened. */
export const sshFailed = 255;
