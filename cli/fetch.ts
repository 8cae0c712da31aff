import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { StoredObject } from "../drivers/s3/objects";
import { backupsNote } from "./archive";
import { fileNames, type Fetched } from "./archiveNames";
import { openArchive, selectObjects, type OpenedArchive } from "./archiveOpen";
import type { Context } from "./context";
import { UsageError } from "./errors";
import {
  download,
  explainFile,
  folderBelow,
  isThere,
  NotGzip,
  partOf,
  settle,
  unpack,
  unpackedBytes,
} from "./fetchFiles";
import { named } from "./find";
import { Progress } from "./progress";
import { folderOf, interruptible, putInto, wouldStay } from "./putInto";
import { bytes } from "./units";

type File = Fetched<StoredObject>;

/** Where files go to. */
interface Sink {
  /** As a person is told. */
  readonly where: string;
  /** Fetches one file. @returns false where one of its name is there and stays */
  take(file: File, archive: OpenedArchive, signal: AbortSignal): Promise<boolean>;
}

/** Larger ones are asked about before they are fetched: asking takes a session of its own. */
const worthAsking = 1024 * 1024;

/** Gets files out of an app's archive. Resolves to an exit code. */
export async function fetch(context: Context): Promise<number> {
  const sink = await sinkOf(context);
  const archive = await openArchive(context);
  try {
    const selected = await selectObjects(context, archive.objects);
    const { files, problems } = fileNames(selected.objects, context.flags.has("packed"));
    if (selected.backups > 0) context.note(backupsNote(selected, archive.app.declaration.name));
    const told = [...problems];
    const done = await interruptible((signal) => fetchAll(context, files, { sink, archive, told, signal })).catch(
      (error: unknown) => Promise.reject(explainFile(error)),
    );
    for (const problem of told) context.note(problem);
    context.out(summary(files.length - done.failed, done.stayed, sink.where));
    if (files.length + told.length === 0)
      context.note(`homeport archive ${archive.app.declaration.name} lists what there is.`);
    return files.length > 0 && told.length === 0 ? 0 : 1;
  } finally {
    archive.objects.close();
  }
}

function summary(there: number, stayed: number, where: string): string {
  if (there === 0) return "No file was fetched.";
  const count = there === 1 ? "1 file is" : `${there} files are`;
  const before = `${stayed === there ? "all" : stayed} of them since before, as they were: --overwrite fetches them again`;
  return `${count} in ${where}${stayed === 0 ? "." : `, ${before}.`}`;
}

interface Fetching {
  readonly sink: Sink;
  readonly archive: OpenedArchive;
  /** Takes what keeps one file from being had, and no other. */
  readonly told: string[];
  readonly signal: AbortSignal;
}

async function fetchAll(
  context: Context,
  files: readonly File[],
  { sink, archive, told, signal }: Fetching,
): Promise<{ readonly stayed: number; readonly failed: number }> {
  let [stayed, failed] = [0, 0];
  for (const [index, file] of files.entries()) {
    const name = `${index + 1} of ${files.length}: ${file.path}`;
    try {
      const fetched = await sink.take(file, archive, signal);
      if (!fetched) stayed++;
      context.note(`${name}, ${fetched ? bytes(file.object.bytes) : "is there already"}`);
    } catch (error) {
      // A bad file in the archive is no reason to go without the others.
      if (!(error instanceof NotGzip)) throw error;
      failed++;
      told.push(error.message);
    }
  }
  return { stayed, failed };
}

/** @throws UsageError where a call says no place, or two */
async function sinkOf(context: Context): Promise<Sink> {
  const [folder, into] = [context.values.get("folder"), context.values.get("into")];
  const overwrite = context.flags.has("overwrite");
  if (folder !== undefined && into === undefined) return localFolder(resolve(folder), overwrite);
  if (into === undefined || folder !== undefined) {
    throw new UsageError(
      "homeport fetch needs one place: a folder of this machine or one of a service.",
      "--folder DIR or --into SERVICE:DIR",
    );
  }
  const [, name, path = ""] = /^([^:]+):(.+)$/.exec(into) ?? [];
  if (name === undefined) throw new UsageError(`--into can't be "${into}".`, "--into SERVICE:DIR");
  const service = named("service", name, (await context.app()).declaration.services);
  const target = folderOf(service, path);
  return serviceFolder(service.name, target, overwrite);
}

function localFolder(folder: string, overwrite: boolean): Sink {
  return {
    where: folder,
    async take(file, archive, signal) {
      const path = join(await folderBelow(folder, file.path), file.path.split("/").at(-1) ?? "");
      if ((await isThere(path)) && !overwrite) return false;
      const [packed, whole] = [partOf(path), partOf(path)];
      try {
        await downloadShown(file, archive, packed, signal);
        if (!file.unpack) return await settle(packed, path, overwrite);
        await unpack(packed, whole, file.object.key, signal);
        return await settle(whole, path, overwrite);
      } finally {
        for (const part of [packed, whole]) await rm(part, { force: true });
      }
    },
  };
}

/** By way of this machine, which may read the archive and reach the service: neither has to know of the other. */
function serviceFolder(service: string, folder: string, overwrite: boolean): Sink {
  return {
    where: `${folder} of ${service}`,
    async take(file, archive, signal) {
      const { operations } = archive;
      const destination = { operations, service, to: `${folder}/${file.path}`, overwrite, signal };
      if (file.object.bytes > worthAsking && (await wouldStay(destination))) return false;
      const scratch = await mkdtemp(join(tmpdir(), "homeport-fetch-"));
      const progress = new Progress(`${file.path}, on to ${service}`, file.object.bytes);
      try {
        const packed = join(scratch, "file");
        await downloadShown(file, archive, packed, signal);
        const wholeBytes = file.unpack ? await unpackedBytes(packed, file.object.key, signal) : file.object.bytes;
        return await putInto(destination, {
          ...{ path: packed, bytes: file.object.bytes, wholeBytes, unpack: file.unpack, onSent: progress.add },
        });
      } finally {
        progress.end();
        await rm(scratch, { recursive: true, force: true });
      }
    },
  };
}

async function downloadShown(
  { object, path }: File,
  { objects }: OpenedArchive,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const progress = new Progress(path, object.bytes);
  const onRetry = (why: string): void => {
    progress.end();
    progress.restart();
    process.stderr.write(`${path}: ${why}; once more\n`);
  };
  try {
    await download({ objects, object, to, signal, onBytes: progress.add, onRetry });
  } finally {
    progress.end();
  }
}
