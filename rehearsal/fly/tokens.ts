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

const bin8 = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0xc4, bytes.length]), bytes]);
const fixstr = (text: string): Buffer => Buffer.concat([Buffer.from([0xa0 | text.length]), Buffer.from(text)]);

/**
 * A macaroon without caveats, as flyctl throws away what isn't one: [[key, nonce, is proof], location, caveats, tail] in
 * MessagePack (github.com/superfly/macaroon, macaroon.go and nonce.go).
 */
function macaroon(): string {
  const nonce = [Buffer.from([0x93]), bin8(randomBytes(16)), bin8(randomBytes(16)), Buffer.from([0xc2])];
  const rest = [fixstr("https://api.fly.io/v1"), Buffer.from([0x90]), bin8(randomBytes(32))];
  return `fm2_${Buffer.concat([Buffer.from([0x94]), ...nonce, ...rest]).toString("base64")}`;
}

/** Makes a token. `app` narrows it to one app, `expiresAt` is in milliseconds since 1970. */
export function issueToken(world: World, wanted: Omit<Token, "token">): Token {
  const token: Token = { token: macaroon(), ...wanted };
  world.state.tokens.push(token);
  world.store.save();
  return token;
}
