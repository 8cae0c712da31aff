import { open } from "node:fs/promises";
import { quote } from "../../components/values/shell";
import { DriverError } from "../../drivers/error";
import { putCommand, type IncomingFile } from "../putFile";
import type { ExecResult } from "./api/fly";

/**
 * One word of a command may have 128 KiB (execve(2), MAX_ARG_STRLEN); base64 makes four letters of three bytes. Several words
 * make one call, as Fly takes about one call a second of a machine.
 */
const wordBytes = 90 * 1024;
const wordsEach = 3;
/** Larger ones would take a quarter of an hour and more. */
const mostBytes = 256 * 1024 * 1024;
const callSeconds = 60;
const finishSeconds = 600;

/** Runs a command in a service's machine. */
export type ExecInMachine = (command: readonly string[], seconds: number) => Promise<ExecResult>;

/** Adds bytes to a file that has so many by now; done before, it does nothing. */
const addScript = `set -u
file=$1 from=$2 to=$3
shift 3
umask 077
[ "$from" -ne 0 ] || mkdir -p -- "\${file%/*}" || exit
[ -e "$file" ] || : >"$file" || exit
size=$(wc -c <"$file")
[ "$size" -ne "$to" ] || exit 0
[ "$size" -eq "$from" ] || { echo "it has $size bytes, not $from" >&2; exit 1; }
for word; do printf %s "$word"; done | base64 -d >>"$file"
`;

/** Stores what has arrived, as from an input. */
const finishScript = `file=$1
shift
"$@" <"$file"
code=$?
rm -f -- "$file"
exit $code
`;

/**
 * Puts a file into a machine. Fly's API runs commands there and gives them no input (Machines API, MachineExecRequest), so it
 * goes as their words, beside its place first.
 */
export async function putIntoMachine(exec: ExecInMachine, file: IncomingFile, app: string): Promise<number> {
  if (file.bytes > mostBytes) {
    throw new DriverError({
      what: `${file.path} is too large for Fly's API.`,
      where: `${file.to} in ${app}`,
      why: `it has ${Math.ceil(file.bytes / 1024 / 1024)} MiB, and commands carry ${mostBytes / 1024 / 1024} at most in a bearable time`,
      fix: `fly ssh sftp put ${quote(file.path)} ${quote(file.to)} --app ${app}`,
    });
  }
  if (file.existing === "ask") return (await exec(putCommand(file), callSeconds)).exit_code ?? 0;
  const beside = `${file.to.slice(0, file.to.lastIndexOf("/"))}/.homeport-part-${file.mark}-sent`;
  let stored = false;
  try {
    await send(exec, file, beside);
    const done = await exec(["sh", "-c", finishScript, "sh", beside, ...putCommand(file)], finishSeconds);
    stored = true;
    process.stderr.write(done.stderr ?? "");
    return done.exit_code ?? 0;
  } finally {
    // What is left of it would take room for good; that the file didn't arrive is told either way.
    if (!stored) await exec(["rm", "-f", "--", beside], callSeconds).catch(() => undefined);
  }
}

async function send(exec: ExecInMachine, file: IncomingFile, beside: string): Promise<void> {
  const handle = await open(file.path);
  try {
    for (let at = 0; at < file.bytes || at === 0;) {
      file.signal.throwIfAborted();
      const { bytesRead, buffer } = await handle.read(
        Buffer.alloc(wordBytes * wordsEach),
        0,
        wordBytes * wordsEach,
        at,
      );
      const words = Array.from({ length: Math.ceil(bytesRead / wordBytes) }, (_, index) =>
        buffer.subarray(index * wordBytes, Math.min(bytesRead, (index + 1) * wordBytes)).toString("base64"),
      );
      const range = [at, at + bytesRead].map(String);
      const { exit_code = 0, stderr = "" } = await exec(
        ["sh", "-c", addScript, "sh", beside, ...range, ...words],
        callSeconds,
      );
      if (exit_code !== 0) {
        throw new DriverError({
          what: `${file.path} could not be sent.`,
          where: beside,
          why: stderr.trim() === "" ? `what writes it there ended with code ${exit_code}` : stderr.trim(),
          fix: "look whether the disk has room (homeport status), then again",
        });
      }
      file.onSent(bytesRead);
      if (bytesRead === 0) return;
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
