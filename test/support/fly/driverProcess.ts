import { buildSync } from "esbuild";
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { ensureDriver } from "../../../drivers/bundle";
import type { FlyResult, FlySpec } from "../../../targets/fly/plan";
import type { FastTime } from "./time";

const project = resolve(__dirname, "../../..");

/** How a driver's process ended. */
export interface Ended {
  /** null where it was killed. */
  readonly code: number | null;
  readonly result: FlyResult | undefined;
  /** What it told the person. */
  readonly told: string;
}

/** A driver that is running. */
export interface Running {
  /** Sends it a signal. */
  end(signal: "SIGKILL" | "SIGINT"): void;
  readonly ended: Promise<Ended>;
}

/** The drivers as the command provider starts them: the bundle, in a process of its own, with its spec on stdin. */
export class DriverProcesses {
  private readonly driver = ensureDriver(project);
  private readonly preload: string;

  /** @param folder where the preloaded file is put */
  constructor(
    folder: string,
    private readonly time: FastTime,
  ) {
    this.preload = join(folder, "preload.cjs");
    buildSync({ entryPoints: [join(__dirname, "preload.ts")], outfile: this.preload, format: "cjs", platform: "node" });
  }

  start(spec: FlySpec, verb: "apply" | "delete" = "apply"): Running {
    const child = spawn(process.execPath, ["-r", this.preload, this.driver, "fly", "app", verb], {
      cwd: project,
      env: { PATH: process.env["PATH"], ...this.time.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let out = "";
    let told = "";
    child.stdout.on("data", (chunk: Buffer) => void (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => void (told += chunk.toString()));
    // One that was killed reads no more.
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify(spec));
    const ended = new Promise<Ended>((done, fail) => {
      child.once("error", fail);
      child.once("close", (code) => {
        done({ code, result: code === 0 ? (JSON.parse(out) as FlyResult) : undefined, told });
      });
    });
    return { end: (signal) => void child.kill(signal), ended };
  }
}
