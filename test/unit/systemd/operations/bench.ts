import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with programs that stand for the host's, in which scripts for hosts are run. */
export class Bench {
  readonly root = mkdtempSync(join(tmpdir(), "homeport-operations-"));

  private readonly started: ChildProcessWithoutNullStreams[] = [];

  /** Writes a file below the root. */
  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content, { mode });
    chmodSync(join(this.root, path), mode);
  }

  /** A program on PATH, as bash text. */
  program(name: string, shell: string): void {
    this.write(`bin/${name}`, `#!/bin/bash\n${shell}\n`, 0o755);
  }

  /** Starts a script as the host would, with its folders and programs found below the root. */
  start(script: string): ChildProcessWithoutNullStreams {
    const here = script
      .replaceAll(
        /(?<![\w.])\/(etc\/homeport|usr\/local\/lib\/homeport|var\/backups|run\/homeport)/g,
        `${this.root}/$1`,
      )
      .replaceAll("/etc/systemd/system", `${this.root}/etc/systemd/system`);
    const env = { ...process.env, PATH: `${this.root}/bin:${process.env["PATH"] ?? ""}` };
    const child = spawn("bash", ["-c", here], { env, detached: true });
    this.started.push(child);
    return child;
  }

  /** Also ends what a failed test has left running. */
  remove(): void {
    for (const { pid, exitCode, signalCode } of this.started) {
      if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The end of a child, after `input` and, unless it is to stay open, the end of its stdin. */
export function ended(child: ChildProcessWithoutNullStreams, input?: string): Promise<Ended> {
  const out = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (out.stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (out.stderr += chunk.toString("utf8")));
  child.stdin.on("error", () => undefined);
  if (input !== undefined) child.stdin.end(input);
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => {
      done({ code, ...out });
    });
  });
}
