import type { RehearsedStack } from "../../../../rehearsal/stack";
import type { Sink } from "../http";
import type { World } from "../world";

/** Two apps of the live stack and one of the development stack on one host, which stack-pair.test.ts shares. */
export interface Pair {
  readonly world: World;
  readonly dev: RehearsedStack;
  /** Where alerts and pings of the live stack go. */
  readonly sink: Sink;
}

export const ports = { prod: 8000, dev: 8001, hotrod: 8090 } as const;
