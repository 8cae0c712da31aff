import { spawn } from "node:child_process";
import { DriverError } from "../../drivers/error";
import { quote } from "../containers/jobs";
import type { Service } from "./api/types";
import { inServicesPlace } from "./shell";

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
const sshFailed = 255;

/**
 * Runs a command line in a service's running instance: what needs its disk can run nowhere else, and the API has no call for it.
 * @param what the job or command, as a person calls it
 */
export async function runInInstance(ssh: Ssh, what: string, service: Service, line: string): Promise<number> {
  const { sshAddress } = service.serviceDetails;
  const whole = inServicesPlace(line);
  // What a platform tells is no option of ssh's.
  if (sshAddress === undefined || !/^[\w-]+@[\w.-]+$/.test(sshAddress)) throw unreachable(what, service, whole);
  const typed = `ssh ${sshAddress} ${quote(whole)}`;
  const code = await ssh(sshAddress, whole).catch((error: unknown) => {
    throw failed(what, service, error instanceof Error ? error.message : String(error), typed);
  });
  if (code === sshFailed) throw failed(what, service, "ssh could not open a session; it says why above", typed);
  return code;
}

function unreachable(what: string, { name, dashboardUrl }: Service, line: string): DriverError {
  return new DriverError({
    what: `${what} needs the disk of ${name}, and nothing but that one's own instance has it.`,
    where: name,
    why: "Render's API runs nothing in an instance, and tells no SSH address of this service",
    fix: `open ${dashboardUrl}/shell and type: ${line}`,
  });
}

function failed(what: string, { name }: Service, why: string, typed: string): DriverError {
  return new DriverError({
    what: `${what} could not be run in ${name}'s instance.`,
    where: name,
    why,
    fix:
      "add your public key at dashboard.render.com (Account settings, SSH public keys); https://render.com/docs/ssh says " +
      `what an image needs. By hand it is: ${typed}`,
  });
}
