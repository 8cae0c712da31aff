import { spawn } from "node:child_process";
import { join } from "node:path";
import { sweep } from "./site-sweep";

/** A watcher of this process. */
export interface Watch {
  /** Ends it: there is nothing left to remove. */
  end(): void;
}

/**
 * Has `folder` swept as soon as this process has ended, however it ends: the watcher reads a pipe that the kernel closes
 * then. It waits in a shell, as a second Node.js would cost memory for nothing, and in a session of its own, so that a
 * Ctrl-C doesn't reach it.
 */
export function watch(folder: string): Watch {
  const sweeper = [
    process.execPath,
    "--require",
    require.resolve("ts-node/register"),
    join(__dirname, "site-watch.ts"),
    folder,
  ];
  const child = spawn("sh", ["-c", 'read -r _ || exec "$@"', "sh", ...sweeper], {
    stdio: ["pipe", "ignore", "ignore"],
    // ts-node looks for its settings in the current folder.
    cwd: join(__dirname, ".."),
    detached: true,
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  child.stdin.on("error", () => undefined); // It was ended from outside.
  return { end: () => child.stdin.end("closed\n") };
}

const folder = process.argv[2];
if (require.main === module && folder !== undefined) {
  sweep({ folder }).catch((error: unknown) => {
    process.exitCode = 1;
    console.error(error);
  });
}
