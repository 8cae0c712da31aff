import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Where downloads and builds are kept between runs: `$HOMEPORT_CACHE`, else `homeport` in the XDG cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env["HOMEPORT_CACHE"]) return env["HOMEPORT_CACHE"];
  return join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "homeport");
}

/**
 * Runs `action` while this process alone holds the lock on `file`; `onWait` is called once when another holds it.
 *
 * flock(1) holds the lock for as long as its standard input stays open, so the kernel frees it however this process ends.
 */
export async function withLock<T>(
  file: string,
  action: () => Promise<T>,
  onWait: () => void = () => undefined,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", "echo held; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) =>
    holder.once("close", () => {
      resolve();
    }),
  );
  const waiting = setTimeout(onWait, 500);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once("error", reject);
      holder.once("close", (code) => {
        reject(new Error(`flock on ${file} ended with exit code ${String(code)}`));
      });
      holder.stdout.once("data", () => {
        resolve();
      });
    });
    clearTimeout(waiting);
    return await action();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
    await ended;
  }
}
