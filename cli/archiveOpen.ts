import { readSettings } from "../components/settings";
import { objectStoreSettings } from "../components/stackSettings";
import type { StackConfig } from "../components/settings";
import { DriverError } from "../drivers/error";
import { openObjects, type ObjectAccess, type Objects, type StoredObject } from "../drivers/s3/objects";
import type { KnownArchive, Operations, PlacedApp } from "../targets/operations";
import { backupsFolder, daysAsked, daysOf, overlap } from "./archiveNames";
import { archiveInState } from "./archiveState";
import type { Context } from "./context";
import { UsageError } from "./errors";
import { named, placedApp } from "./find";
import { chosen } from "./stack";
import { readState } from "./stackState";

/** An archive that a call is about, opened. */
export interface OpenedArchive {
  readonly app: PlacedApp;
  /** As the app declares it. */
  readonly name: string;
  /** As the store knows it. */
  readonly bucket: string;
  readonly operations: Operations;
  readonly objects: Objects;
}

/**
 * Opens the archive that a call names, or the app's only one. Only reading is asked for.
 * @throws DriverError where it was never made
 */
export async function openArchive(context: Context): Promise<OpenedArchive> {
  const found = await context.app();
  const { config } = await context.stack();
  const app = placedApp(found, config.stack);
  const name = archiveNamed(app, context.positionals[1]);
  const [operations, state] = await Promise.all([
    context.operate(found),
    chosen(context.choice).then((stack) => readState(stack, context, true)),
  ]);
  const known = archiveInState(state, app.declaration.name, name);
  if (known === undefined) {
    throw new DriverError({
      what: `The archive ${name} isn't there yet.`,
      where: `${app.declaration.name} in the stack ${app.stack}`,
      why: "the stack's state has no such bucket",
      fix: `pulumi up --stack ${app.stack}`,
    });
  }
  const access = (await operations.archive?.(known)) ?? stackAccess(known, app, config);
  return { app, name, bucket: access.bucket, operations, objects: await openObjects(access) };
}

function archiveNamed({ declaration }: PlacedApp, asked: string | undefined): string {
  const { name, buckets } = declaration;
  if (asked !== undefined) return named("archive", asked, buckets).name;
  const [only, another] = buckets;
  if (only === undefined) throw new UsageError(`${name} has no archive.`, `see apps/${name}.ts`);
  if (another === undefined) return only.name;
  const names = buckets.map((one) => one.name).join(", ");
  throw new UsageError(`${name} has several archives: ${names}.`, `name one: homeport archive ${name} ${only.name}`);
}

/** By the key that the app's own parts use: the archive's own, the app's, or the stack's. */
export function stackAccess(known: KnownArchive, { settings }: PlacedApp, config: StackConfig): ObjectAccess {
  const store = readSettings("s3", objectStoreSettings, config).values;
  const accessKeyId = settings.accessKeyId ?? store.accessKeyId;
  const secretAccessKey = settings.secretAccessKey ?? store.secretAccessKey;
  const key =
    known.key ??
    (accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey });
  // Where the archive was made counts, not where the configuration would make one now.
  const endpoint = known.region === undefined ? store.endpoint : known.endpoint;
  return {
    ...{ bucket: known.bucket, region: known.region ?? store.region },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(key === undefined ? {} : { key }),
  };
}

/** What of an archive a call asks for, the oldest first. */
export interface Selected {
  readonly objects: readonly (StoredObject & { readonly date: string })[];
  /** Backups of databases that would have fitted; they have verbs of their own. */
  readonly backups: number;
}

export async function selectObjects(
  context: Pick<Context, "values">,
  objects: Pick<Objects, "list">,
): Promise<Selected> {
  const asked = daysAsked(context.values);
  const prefix = context.values.get("prefix") ?? "";
  const fitting = (await objects.list(prefix)).flatMap((object) => {
    const days = daysOf(object.key, object.time);
    if (!overlap(days, asked) || object.key.endsWith("/")) return [];
    return [{ ...object, date: days.first === days.last ? days.first : days.first.slice(0, 7) }];
  });
  const own = fitting.filter(({ key }) => prefix.startsWith(backupsFolder) || !key.startsWith(backupsFolder));
  const sorted = own.sort((a, b) => compare(a.date, b.date) || compare(a.key, b.key));
  return { objects: sorted, backups: fitting.length - own.length };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
