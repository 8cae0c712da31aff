import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { groupFolders, processesIn, removeGroup } from "../host/cgroup";
import { cacheFolder, withLock } from "../host/cache";
import type { Log } from "../host/run";
import { RehearsalError, leashed, poll, run } from "../host/run";
import { aptInstall, present } from "../host/tools";

/** An S3 endpoint (and moto's other AWS services) that this machine and a site's hosts reach. Clients need path-style addresses. */
export interface S3 {
  /** `http://10.…:port`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Ends the server; what was stored is gone. */
  stop(): Promise<void>;
}

/** All that an emulator uses, written down before it is started. */
export interface Emulator {
  /** Its control group's name. */
  readonly unit: string;
  readonly address: string;
  readonly port: number;
  /** Holds its log, moto.log. */
  readonly folder: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const requirements = join(__dirname, "requirements.txt");

/** Makes the Python environment with moto's server in the cache, once, and returns its folder. */
export async function ensureMoto(log: Log): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), "rehearsal", `moto-${hash}`);
  if (existsSync(folder)) return folder;
  const wait = (): void => {
    log("another run is installing the S3 emulator: waiting for it");
  };
  await withLock(
    `${folder}.lock`,
    async () => {
      if (existsSync(folder)) return;
      log("installing the S3 emulator, moto (about half a minute, once)");
      const python = ["python3", "-c", "import ensurepip, venv"] as const;
      if (!present("python3") || (await run(python)).code !== 0) await aptInstall(["python3", "python3-venv"], log);
      const part = `${folder}.part`;
      rmSync(part, { recursive: true, force: true });
      try {
        for (const step of [
          ["python3", "-m", "venv", part],
          [
            join(part, "bin/python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            requirements,
          ],
        ] as [string, ...string[]][]) {
          const result = await run(leashed(step));
          if (result.code === 0) continue;
          throw new RehearsalError(
            `The S3 emulator can't be installed:\n${result.stderr.trim().split("\n").slice(-5).join("\n")}\nCheck that this machine reaches PyPI, then run the same command again.`,
          );
        }
        renameSync(part, folder);
      } finally {
        rmSync(part, { recursive: true, force: true });
      }
    },
    wait,
  );
  return folder;
}

/** A port that is free on an address right now. */
export function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** Chooses an emulator's port and credentials. Nothing is started yet. */
export async function planEmulator(unit: string, address: string, folder: string): Promise<Emulator> {
  return {
    unit,
    address,
    port: await freePort(address),
    folder,
    accessKeyId: `AKIA${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString("hex"),
  };
}

async function healthy(endpoint: string): Promise<true | undefined> {
  try {
    const response = await fetch(`${endpoint}/moto-api/data.json`, { signal: AbortSignal.timeout(2_000) });
    return response.ok || undefined;
  } catch {
    return undefined;
  }
}

const alive = (emulator: Emulator): boolean => processesIn(groupFolders(emulator.unit)[0]).length > 0;

function logTail(emulator: Emulator): string {
  const file = join(emulator.folder, "moto.log");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-5).join("\n") : "";
}

/** Starts the emulator and waits until it answers; one that runs already is returned as it is. It outlives this process. */
export async function startMoto(emulator: Emulator, log: Log): Promise<S3> {
  const venv = await ensureMoto(log);
  const endpoint = `http://${emulator.address}:${emulator.port}`;
  if (!alive(emulator)) {
    mkdirSync(emulator.folder, { recursive: true });
    const output = openSync(join(emulator.folder, "moto.log"), "a", 0o600);
    const groups = groupFolders(emulator.unit);
    // By the module: the script that pip made names the folder in which the environment was built.
    const command = [
      join(venv, "bin/python"),
      "-m",
      "moto.server",
      "-H",
      emulator.address,
      "-p",
      String(emulator.port),
    ];
    const child = spawn(join(__dirname, "../host/grouped.sh"), [emulator.folder, ...groups, "--", ...command], {
      stdio: ["ignore", output, output],
      detached: true,
    });
    closeSync(output);
    child.unref();
  }
  await poll(() => healthy(endpoint), {
    timeoutMs: 60_000,
    failure: () => `The S3 emulator doesn't answer on ${endpoint}. Its log ends with:\n${logTail(emulator)}`,
  });
  const { accessKeyId, secretAccessKey } = emulator;
  return { endpoint, region: "us-east-1", accessKeyId, secretAccessKey, stop: () => removeGroup(emulator.unit) };
}
