import { DriverError } from "../../drivers/error";
import { inServicesPlace, type Session } from "../containers/session";
import type { Service } from "./api/types";

/**
 * A session in a service's running instance: what needs its disk can run nowhere else, and the API has no call for it.
 * @throws DriverError where Render tells no address of it
 */
export function sessionIn(service: Service, what: string, line: string): Session {
  const { sshAddress } = service.serviceDetails;
  // What a platform tells is no option of ssh's.
  if (sshAddress === undefined || !/^[\w-]+@[\w.-]+$/.test(sshAddress)) throw unreachable(service, what, line);
  return {
    what,
    where: service.name,
    address: sshAddress,
    setUp:
      "add your public key at dashboard.render.com (Account settings, SSH public keys); https://render.com/docs/ssh says " +
      "what an image needs",
  };
}

function unreachable({ name, dashboardUrl }: Service, what: string, line: string): DriverError {
  return new DriverError({
    what: `${what} needs the disk of ${name}, and nothing but that one's own instance has it.`,
    where: name,
    why: "Render's API runs nothing in an instance, and tells no SSH address of this service",
    fix: `open ${dashboardUrl}/shell and type: ${inServicesPlace(line)}`,
  });
}
