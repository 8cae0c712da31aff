import { statSync } from "node:fs";
import { basename } from "node:path";
import { unfitKey } from "./archiveNames";
import type { Context } from "./context";
import { UsageError } from "./errors";
import { explainFile } from "./fetchFiles";
import { named } from "./find";
import { Progress } from "./progress";
import { folderOf, interruptible, putInto } from "./putInto";

/** Puts a file of this machine into a service's volume. Resolves to an exit code. */
export async function copy(context: Context): Promise<number> {
  const app = await context.app();
  const [, name = "", path = "", folder = ""] = context.positionals;
  const service = named("service", name, app.declaration.services);
  const to = `${folderOf(service, folder)}/${nameOf(path)}`;
  const size = sizeOf(path);
  const operations = await context.operate(app);
  const progress = new Progress(to, size);
  const overwrite = context.flags.has("overwrite");
  const stored = await interruptible((signal) =>
    putInto(
      { operations, service: service.name, to, overwrite, signal },
      { path, bytes: size, wholeBytes: size, unpack: false, onSent: progress.add },
    ),
  )
    .catch((error: unknown) => Promise.reject(explainFile(error)))
    .finally(() => {
      progress.end();
    });
  if (stored) context.out(`${to} of ${service.name} is there.`);
  else context.note(`${to} is there already and stays as it is: --overwrite replaces it.`);
  return stored ? 0 : 1;
}

function nameOf(path: string): string {
  const name = basename(path);
  const why = unfitKey(name);
  if (why !== undefined) throw new UsageError(`${path} can't be put there under its name: ${why}.`, "rename it first");
  return name;
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UsageError(`There is no file ${path}.`, "look whether it is spelled right");
  if (found.isFile()) return found.size;
  throw new UsageError(`${path} isn't a file.`, `for a folder: one call each, or a tar of it`);
}
