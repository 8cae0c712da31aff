import { openArchive, selectObjects, type Selected } from "./archiveOpen";
import { shownKey } from "./archiveNames";
import type { Context } from "./context";
import { table } from "./table";
import { bytes } from "./units";

/** Lists what an app has archived. Resolves to an exit code. */
export async function archive(context: Context): Promise<number> {
  const { app, name, bucket, objects } = await openArchive(context);
  const selected = await selectObjects(context, objects).finally(() => {
    objects.close();
  });
  if (context.flags.has("json")) {
    context.json({ app: app.declaration.name, archive: name, bucket, objects: selected.objects });
    return 0;
  }
  for (const line of table(
    ["date", "size", "key"],
    selected.objects.map((one) => [one.date, bytes(one.bytes), shownKey(one.key)]),
  ))
    context.out(line);
  context.out(summaryOf(selected, bucket));
  if (selected.backups > 0) context.note(backupsNote(selected, app.declaration.name));
  return 0;
}

/** `3 files, 1.2 MiB, of 2025-06-01 to 2025-06-03, in s3://…`. */
export function summaryOf({ objects }: Selected, bucket: string): string {
  const [first, last] = [objects[0]?.date, objects.at(-1)?.date];
  if (first === undefined || last === undefined) return `Nothing in s3://${bucket} fits.`;
  const size = bytes(objects.reduce((sum, one) => sum + one.bytes, 0));
  const count = objects.length === 1 ? "1 file" : `${objects.length} files`;
  return `${count}, ${size}, of ${first === last ? first : `${first} to ${last}`}, in s3://${bucket}`;
}

export const backupsNote = ({ backups }: Selected, app: string): string =>
  `${backups === 1 ? "A backup of a database is" : `${backups} backups of databases are`} left out: homeport backups ${app}`;
