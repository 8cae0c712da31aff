import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { aptInstall, present } from "../../../rehearsal/host/tools";

/** Where the host's tools are in the checkout. */
export const toolsFolder = resolve(__dirname, "../../../targets/systemd/host/tools");

const packages: Readonly<Record<string, string>> = {
  jq: "jq",
  sqlite3: "sqlite3",
  socat: "socat",
  curl: "curl",
  openssl: "openssl",
  shellcheck: "shellcheck",
};

/** Installs what the tools under test call, where the machine lacks it. */
export async function needPrograms(...programs: readonly string[]): Promise<void> {
  const lacking = programs.filter((program) => !present(program)).map((program) => packages[program] ?? program);
  if (lacking.length > 0) await aptInstall(lacking, () => undefined);
}

/** What a tool's run came to. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that the tools take for the host's root, with a systemctl that answers from a script. */
export interface Desk {
  readonly root: string;
  /** Writes a file below the root. */
  write(path: string, content: string, mode?: number): void;
  read(path: string): string;
  /** What `systemctl` and `journalctl` do: shell text that sees its arguments as `$@`. Each call is noted. */
  script(program: string, shell: string): void;
  /** The calls of scripted programs so far, `systemctl stop x`. */
  calls(): string[];
  run(tool: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>;
  remove(): void;
}

/** Makes a desk with an app `shop-prod` that has an `alert` file; `alert` is where its alerts go. */
export function makeDesk(alert?: string): Desk {
  const root = mkdtempSync(join(tmpdir(), "homeport-tools-"));
  const desk: Desk = {
    root,
    write(path, content, mode = 0o600) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content, { mode });
      chmodSync(join(root, path), mode);
    },
    read: (path) => readFileSync(join(root, path), "utf8"),
    script(program, shell) {
      desk.write(`bin/${program}`, `#!/bin/bash\necho "${program} $*" >>'${root}/calls'\n${shell}\n`, 0o755);
    },
    calls: () => desk.read("calls").trimEnd().split("\n").filter(Boolean),
    run: (tool, args, env = {}) =>
      new Promise((done, fail) => {
        const child = spawn(join(toolsFolder, tool), args, {
          env: { HOMEPORT_ROOT: root, PATH: `${root}/bin:${process.env["PATH"] ?? ""}`, HOME: root, ...env },
          stdio: ["ignore", "pipe", "pipe"],
        });
        let stdout = "";
        let stderr = "";
        child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
        child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
        child.once("error", fail);
        child.once("close", (code) => {
          done({ code: code ?? -1, stdout, stderr });
        });
      }),
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
  desk.write("calls", "");
  desk.script("systemctl", "");
  desk.script("journalctl", "");
  desk.write("etc/homeport/shop-prod/alert", `APP=shop\nSTACK=prod\n${alert === undefined ? "" : `URL=${alert}\n`}`);
  return desk;
}

/** A request that a listener got. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** An HTTP server on loopback that keeps what it gets. */
export interface Listener {
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
  /** The status of the next answers, or `drop` for an answer that never arrives. @default always 200 */
  answers: (number | "drop")[];
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** Starts a listener on a free port. */
export async function listen(status: (path: string) => number = () => 200, address = "127.0.0.1"): Promise<Listener> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const path = request.url ?? "";
      received.push({ method: request.method ?? "", path, body });
      const answer = listener.answers.shift() ?? status(path);
      if (answer === "drop") request.socket.destroy();
      else response.writeHead(answer).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, address, done));
  const { port } = server.address() as AddressInfo;
  const listener: Listener = {
    port,
    url: `http://${address}:${port}`,
    received,
    answers: [],
    close: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  };
  return listener;
}
