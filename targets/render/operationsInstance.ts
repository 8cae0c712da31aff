import { quote } from "../../components/values/shell";
import { DriverError } from "../../drivers/error";
import { inServicesPlace, sshFailed, type Ssh } from "../containers/session";
import type { Service } from "./api/types";

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
