import { platforms } from "../targets/drivers";
import type { Driver } from "./driver";
import { describeError, DriverError, Interrupted } from "./error";

const usage = "node <driver> <platform> <kind> apply|delete, with the spec as JSON on stdin";

/** Exit codes of a shell's processes that a signal ended. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs one driver as the command line says. @returns the exit code */
export async function run(args: readonly string[], project = process.cwd()): Promise<number> {
  const abort = new AbortController();
  let code = 1;
  for (const [signal, status] of Object.entries(codes)) {
    process.once(signal, () => {
      code = status;
      abort.abort(new Interrupted());
      // Whoever asks twice, or a clean-up that hangs, ends it at once.
      process.once(signal, () => process.exit(status));
      setTimeout(() => process.exit(status), 10_000).unref();
    });
  }
  try {
    const [platform = "", kind = "", verb = ""] = args;
    const driver = await find(platform, kind, verb, args.length);
    const spec: unknown = parse(await readAll(process.stdin));
    const io = { progress: (line: string) => process.stderr.write(`${line}\n`), signal: abort.signal, project };
    const result = await (verb === "apply" ? driver.apply(spec, io) : driver.delete(spec, io));
    process.stdout.write(`${JSON.stringify(result ?? {})}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${describeError(abort.signal.aborted ? new Interrupted() : error)}\n`);
    return code;
  }
}

async function find(platform: string, kind: string, verb: string, count: number): Promise<Driver> {
  const load = Object.hasOwn(platforms, platform) ? platforms[platform] : undefined;
  const kinds = await load?.();
  const driver = kinds !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (driver !== undefined && count === 3 && (verb === "apply" || verb === "delete")) return driver;
  throw new DriverError({
    what: "The driver was called in a way that it doesn't know.",
    where: [platform, kind, verb].join(" ").trim() || "no arguments",
    why: `platforms are ${Object.keys(platforms).join(", ")}${kinds === undefined ? "" : `; ${platform} has ${Object.keys(kinds).join(", ")}`}`,
    fix: usage,
  });
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

/** The spec is secret as a whole, so that what doesn't parse isn't shown either. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DriverError({
      what: "The spec isn't JSON.",
      where: "stdin",
      why: text.trim() === "" ? "nothing came" : `${text.length} characters came that don't parse`,
      fix: usage,
    });
  }
}

/** Started by the bundle. What still holds the process, such as a socket of an SDK, doesn't keep it. */
export function start(): void {
  void run(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
    process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
  });
}
