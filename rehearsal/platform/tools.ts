import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, withLock } from "../host/cache";
import type { Log } from "../host/run";
import { RehearsalError, run } from "../host/run";

/** Programs out of Debian's packages that platforms are emulated with. */
export interface PlatformTools {
  /** Docker's registry, `docker-registry serve CONFIG`. */
  readonly registry: string;
  /** A static init for containers, which passes signals on: PID 1 has no default actions. */
  readonly init: string;
}

const packages = ["docker-registry", "tini"];

/**
 * Unpacks the programs into the cache, once. Not installed, as the registry's package would start a service on this
 * machine.
 */
export async function ensurePlatformTools(log: Log): Promise<PlatformTools> {
  const folder = join(cacheFolder(), "rehearsal", "platform-tools-1");
  const tools = { registry: join(folder, "usr/bin/docker-registry"), init: join(folder, "usr/bin/tini-static") };
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    log(`unpacking ${packages.join(" and ")} for the rehearsal's platforms (once)`);
    const part = `${folder}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    await run(["apt-get", "update", "-qq"]);
    const got = await run(["apt-get", "download", "-q", ...packages], { cwd: part });
    const files = readdirSync(part).filter((file) => file.endsWith(".deb"));
    const unpacked = await Promise.all(files.map((file) => run(["dpkg-deb", "--extract", join(part, file), part])));
    if (got.code !== 0 || unpacked.some((result) => result.code !== 0)) {
      throw new RehearsalError(
        `The rehearsal's platforms need the Debian packages ${packages.join(" and ")}, which can't be had:\n` +
          `${got.stderr.trim().split("\n").slice(-3).join("\n")}\nMend that, then run the same command again.`,
      );
    }
    for (const file of files) rmSync(join(part, file));
    renameSync(part, folder);
  });
  return tools;
}
