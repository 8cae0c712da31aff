import type { Places } from "./show";
import type { RehearsedStack } from "./stack";

/** A stack in a rehearsal: what it runs on is there, and it may be led to that. */
export interface Rehearsed {
  /** Hands platforms that build from repositories the present state of the stand-ins, as a push does. */
  push(): Promise<void>;
  /** Makes what is there before the stack in real life, and gives the stack its endpoints and credentials. Once a site. */
  configure(stack: RehearsedStack): Promise<void>;
  /** Where its apps are looked at, once they are deployed. */
  places(stack: RehearsedStack): Promise<Places>;
}
