import type { Session } from "../containers/session";
import type { Instance } from "./api/types";

/**
 * Where Railway takes sessions; a service's instance in an environment is a user there (src/commands/ssh/native.rs and
 * src/config.rs of railwayapp/cli).
 */
const relay = "ssh.railway.com";

/** A session in a service's running instance: Railway's API has no call for it. */
export const sessionIn = ({ id }: Instance, what: string, where: string): Session => ({
  what,
  where,
  address: `${id}@${relay}`,
  setUp: "railway ssh keys add gives Railway your public key, once",
});
