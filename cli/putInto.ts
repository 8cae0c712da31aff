import { posix } from "node:path";
import type { Service } from "../components/declaration";
import { DriverError, Interrupted } from "../drivers/error";
import { exitCodes, type Operations } from "../targets/operations";
import type { IncomingFile } from "../targets/putFile";
import { newMark } from "./fetchFiles";
import { UsageError } from "./errors";

/**
 * A folder of a service, as it sees it. What isn't on a volume of it would be gone with its next start.
 * @throws UsageError
 */
export function folderOf(service: Service, text: string): string {
  const paths = (service.volumes ?? []).map(({ path }) => path);
  if (paths.length === 0) {
    throw new UsageError(
      `${service.name} has no volume: what is put there is gone when it starts again.`,
      "name a service that has one",
    );
  }
  const folder = posix.normalize(text).replace(/(?<=.)\/$/, "");
  const onVolume = paths.some((path) => folder === path || folder.startsWith(`${path}/`));
  // eslint-disable-next-line no-control-regex -- they are what it is about
  if (onVolume && !/[\u0000-\u001f\u007f]/.test(text)) return folder;
  throw new UsageError(
    `"${text}" isn't a folder of a volume of ${service.name}.`,
    `a folder below ${paths.join(" or ")}, such as ${(service.folders ?? paths)[0] ?? ""}`,
  );
}

/** Where a file is to be put. */
export interface Destination {
  readonly operations: Operations;
  readonly service: string;
  /** Absolute, as the service sees it. */
  readonly to: string;
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
}

/** Whether a file of that name is there and stays. */
export async function wouldStay(destination: Destination): Promise<boolean> {
  if (destination.overwrite) return false;
  const nothing = { path: "", bytes: 0, wholeBytes: 0, unpack: false, onSent: () => undefined };
  return !(await put(destination, { ...nothing, existing: "ask" }));
}

/**
 * Puts a file into a service's volume.
 * @returns false where one of its name is there and stays
 * @throws DriverError where it couldn't be stored; nothing of it is there then
 */
export const putInto = (
  destination: Destination,
  file: Pick<IncomingFile, "path" | "bytes" | "wholeBytes" | "unpack" | "onSent">,
): Promise<boolean> => put(destination, { ...file, existing: destination.overwrite ? "gives way" : "stays" });

async function put(
  { operations, service, to, signal }: Destination,
  file: Omit<IncomingFile, "to" | "mark" | "signal">,
): Promise<boolean> {
  const code = await operations.put(service, { ...file, to, signal, mark: newMark() });
  if (code === 0) return true;
  if (code === exitCodes.exists) return false;
  if (code === exitCodes.interrupted || signal.aborted) throw new Interrupted();
  throw new DriverError({
    what: "The file could not be stored.",
    where: `${to} of ${service}, on ${operations.place}`,
    why: `what stores it ended with code ${code}; what it said is above`,
    fix: "mend that and run it again: what is there already stays",
  });
}

/** Runs something that Ctrl-C ends at its next step, its parts removed. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const stop = (): void => {
    abort.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  try {
    return await work(abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? new Interrupted() : error;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.removeListener(signal, stop);
  }
}
