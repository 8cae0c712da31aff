import { hasStatus } from "../../../drivers/http";

/** Where Fly is and who asks. Secret as a whole. */
export interface FlyConnection {
  /** The Machines API, `https://api.machines.dev`. */
  readonly machinesUrl: string;
  /** GraphQL, logs and what else isn't public REST, `https://api.fly.io`. */
  readonly apiUrl: string;
  /** Organization's slug. */
  readonly org: string;
  readonly token: string;
}

/** 404 is an answer: there is none. */
export async function absent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

/** A token without the scheme that `fly tokens create` prints before it. */
export const bareToken = (token: string): string => token.trim().replace(/^(Bearer|FlyV1)\s+/i, "");

/** Macaroons go as FlyV1, older tokens as Bearer (fly-go, tokens.go). */
export function authorization(token: string): string {
  const bare = bareToken(token);
  return /^fm[12]/.test(bare) ? `FlyV1 ${bare}` : `Bearer ${bare}`;
}
