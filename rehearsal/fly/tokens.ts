import { randomBytes } from "node:crypto";
import type { Token } from "./state";
import { refuse } from "./world";
import type { World } from "./world";

/** A token's text, without the scheme that it may begin with. */
export function bare(token: string): string {
  return token.replace(/^(?:(?:Bearer|FlyV1)\s+)+/i, "").trim();
}

/** Who asks. Throws 401 for a token that is missing, malformed, unknown or expired. */
export function authenticate(world: World, header: string | undefined): Token {
  if (header === undefined) throw refuse(401, "missing authorization header");
  const [, scheme, text] = /^(\S+) (.+)$/.exec(header) ?? [];
  // The command line's tokens say FlyV1 themselves: another scheme in front of it is a mistake.
  if (scheme === undefined || text === undefined || !/^(Bearer|FlyV1)$/.test(scheme) || /^(Bearer|FlyV1) /.test(text))
    throw refuse(401, "malformed authorization header");
  const token = world.state.tokens.find((one) => one.token === bare(text));
  if (token === undefined) throw refuse(401, "unauthorized");
  if (token.expiresAt !== undefined && token.expiresAt < world.clock.now())
    throw refuse(401, "unauthorized: token has expired");
  return token;
}

/** Throws 403 where the token is another organization's, or good for one app alone. */
export function requireOrg(world: World, token: Token, slug: string): void {
  const organization = world.state.organizations.find((one) => one.slug === slug);
  if (organization === undefined) throw refuse(404, `organization not found: ${slug}`);
  if (token.org !== slug || token.app !== undefined) throw refuse(403, "unauthorized");
}

/** Makes a token. `app` narrows it to one app, `expiresAt` is in milliseconds since 1970. */
export function issueToken(world: World, wanted: Omit<Token, "token">): Token {
  const token: Token = { token: `fm2_${randomBytes(24).toString("base64url")}`, ...wanted };
  world.state.tokens.push(token);
  world.store.save();
  return token;
}
