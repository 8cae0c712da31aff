import { createHash } from "node:crypto";
import { InvalidValue } from "./invalid";

/**
 * Every name that Homeport derives from an app, its stack and one of its parts is made here.
 *
 * Two different triples never get one name (but for a chance of one in 16 million where both are cut short). A part is
 * set off by a doubled dash, which no name has inside. App and stack meet at a single dash, `catscan-prod`, which is
 * unambiguous as long as the stack has none; otherwise, and where a platform's limit cuts the name short, it ends in
 * `-` and six hex digits of a SHA-256 of the whole. A name that ends so by chance gets such an ending too.
 */

/** Longest login of Linux: LOGIN_NAME_MAX is 256, but useradd(8) refuses more than 32 characters. */
const LOGIN_LIMIT = 32;
/** UNIT_NAME_MAX of systemd is 255, suffix included (systemd.unit(5)); this leaves room for `-a@1.service` and the like. */
const UNIT_LIMIT = 200;
/** NAMEDATALEN - 1 bytes (PostgreSQL, 4.1.1 Identifiers and Key Words); longer ones are cut with a mere notice. */
const DATABASE_LIMIT = 63;
/** Amazon S3 user guide, General purpose bucket naming rules. */
const BUCKET_LIMIT = 63;
/** A label of DNS (RFC 1035, 2.3.4), as the name becomes a host of fly.dev; Fly itself takes longer ones, which then don't resolve. */
const FLY_LIMIT = 63;

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const DIGEST = /-[0-9a-f]{6}$/;

/**
 * Why `name` can't name an app, a stack or a part of an app, with the nearest name that can; undefined when it can. Names
 * are lower-case letters, digits and single dashes, the first a letter and the last no dash, which every platform takes.
 */
export function nameProblem(name: string): string | undefined {
  if (NAME.test(name)) return undefined;
  const nearest = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  const rule = "a name is made of lower-case letters, digits and single dashes, and starts with a letter";
  return nearest === "" ? rule : `${rule}, as in "${nearest}"`;
}

export function isAppName(name: string): boolean {
  return nameProblem(name) === undefined;
}

/** Stricter than Pulumi, which also takes capitals, `_` and `.` in a stack's name. */
export function isStackName(name: string): boolean {
  return nameProblem(name) === undefined;
}

/** The name of a variable as POSIX has it (XBD 8.1) and systemd, Docker and every platform take it; lower case is allowed. */
export function isEnvironmentVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/**
 * What an app of a stack is called on a host that it shares with others, `catscan-prod`: folders, slice, user.
 * At most 32 characters, single dashes only (so that it can name a slice, systemd.slice(5)).
 * @throws InvalidValue for what isn't a name; so do all below.
 */
export function hostName(app: string, stack: string): string {
  return shorten(qualified(app, stack), LOGIN_LIMIT, [app, stack]);
}

/** The Linux user that an app runs as. */
export function userName(app: string, stack: string): string {
  return hostName(app, stack);
}

/** Folder of an app's releases. */
export function releaseRoot(app: string, stack: string): string {
  return `/opt/${hostName(app, stack)}`;
}

/** Folder of an app's data. */
export function stateRoot(app: string, stack: string): string {
  return `/var/lib/${hostName(app, stack)}`;
}

/** A systemd unit's name without its suffix, `catscan-prod--api`. Needs no escaping. */
export function unitName(app: string, stack: string, part: string): string {
  return partName(app, stack, part, UNIT_LIMIT);
}

/**
 * A database and its role in PostgreSQL, `catscan_prod__main`, which needs no quotes there.
 * @throws InvalidValue also for an app "pg": such roles are PostgreSQL's own (CREATE ROLE).
 */
export function databaseName(app: string, stack: string, part: string): string {
  const name = partName(app, stack, part, DATABASE_LIMIT).replaceAll("-", "_");
  if (name.startsWith("pg_")) throw new InvalidValue("PostgreSQL keeps roles that start with pg_ to itself");
  return name;
}

/**
 * A bucket of S3 or a service like it, `catscan-prod--archive-5d41402a`, without dots, which break TLS.
 * @param discriminator 4 to 20 letters and digits that no one else has: bucket names are shared by all accounts.
 * @throws InvalidValue also for a prefix or suffix that S3 reserves.
 */
export function bucketName(app: string, stack: string, part: string, discriminator: string): string {
  if (!/^[a-z0-9]{4,20}$/.test(discriminator) || discriminator === "s3alias") {
    throw new InvalidValue(
      `"${discriminator}" can't end a bucket's name: that takes 4 to 20 lower-case letters and digits, and not s3alias`,
    );
  }
  const name = `${partName(app, stack, part, BUCKET_LIMIT - 1 - discriminator.length)}-${discriminator}`;
  // Its other reserved prefix and suffixes (xn--, --ol-s3, --x-s3, --table-s3, .mrap, -an) can't come about.
  const reserved = ["sthree-", "amzn-s3-demo-"].find((prefix) => name.startsWith(prefix));
  if (reserved !== undefined) throw new InvalidValue(`S3 keeps bucket names that start with ${reserved} to itself`);
  return name;
}

/** An app of Fly.io, `hotrod-prod--web`. All customers share one name space; an app that is taken is for the caller to tell. */
export function flyAppName(app: string, stack: string, part: string): string {
  return partName(app, stack, part, FLY_LIMIT);
}

function partName(app: string, stack: string, part: string, limit: number): string {
  return shorten(`${qualified(app, stack)}--${checked("part", part)}`, limit, [app, stack, part]);
}

function qualified(app: string, stack: string): string {
  const name = `${checked("app", app)}-${checked("stack", stack)}`;
  return stack.includes("-") || DIGEST.test(name) ? withDigest(name, [app, stack]) : name;
}

function shorten(name: string, limit: number, whole: readonly string[]): string {
  const isWhole = name.length <= limit && (!DIGEST.test(name) || name.endsWith(digest(whole)));
  return isWhole ? name : withDigest(name.slice(0, limit - digest(whole).length), whole);
}

function withDigest(name: string, whole: readonly string[]): string {
  return name.replace(/-+$/, "") + digest(whole);
}

function digest(whole: readonly string[]): string {
  return `-${createHash("sha256").update(whole.join("/")).digest("hex").slice(0, 6)}`;
}

function checked(what: string, name: string): string {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new InvalidValue(`"${name}" can't name the ${what}: ${problem}`);
  return name;
}
