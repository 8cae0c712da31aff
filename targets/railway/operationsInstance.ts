import { quote } from "../../components/values/shell";
import { DriverError } from "../../drivers/error";
import { inServicesPlace, sshFailed, type Ssh } from "../containers/session";
import type { Instance } from "./api/types";

/**
 * Where Railway takes sessions; a service's instance in an environment is a user there (src/commands/ssh/native.rs and
 * src/config.rs of railwayapp/cli).
 */
const relay = "ssh.railway.com";

/**
 * Runs a command line in a service's running instance: Railway's API has no call for it.
 * @param what the job or command, as a person calls it
 */
export async function runInInstance(
  ssh: Ssh,
  what: string,
  { id }: Instance,
  where: string,
  line: string,
): Promise<number> {
  const address = `${id}@${relay}`;
  const whole = inServicesPlace(line);
  const failed = (why: string): DriverError =>
    new DriverError({
      what: `${what} could not be run in the service's instance.`,
      where,
      why,
      fix: `railway ssh keys add gives Railway your public key, once. By hand it is: ssh ${address} ${quote(whole)}`,
    });
  const code = await ssh(address, whole).catch((error: unknown) => {
    throw failed(error instanceof Error ? error.message : String(error));
  });
  if (code === sshFailed) throw failed("ssh could not open a session; it says why above");
  return code;
}
