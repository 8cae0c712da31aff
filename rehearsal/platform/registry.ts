import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, request } from "node:http";
import { join } from "node:path";
import { poll } from "../host/run";
import { freePort } from "../s3/moto";
import { without } from "./without";

/** Docker's own registry (Debian's docker-registry), behind an emulator that says who may use it. */
export class Registry {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** `host:port`, where whoever reaches it may do anything. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Starts it on an address, with its images in a folder. It ends with this process's control group. */
  static async start(program: string, folder: string, host: string): Promise<Registry> {
    mkdirSync(folder, { recursive: true });
    const port = await freePort(host);
    const config = {
      version: "0.1",
      storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
      http: { addr: `${host}:${port}`, relativeurls: true },
      log: { level: "warn" },
    };
    const file = join(folder, "config.json");
    writeFileSync(file, JSON.stringify(config)); // JSON is YAML.
    const registry = new Registry(host, port);
    const log = openSync(join(folder, "registry.log"), "a", 0o600);
    registry.child = spawn(program, ["serve", file], { stdio: ["ignore", log, log] });
    await poll(async () => (await fetch(`http://${host}:${port}/v2/`).catch(() => undefined))?.ok, {
      timeoutMs: 15_000,
      failure: () => `The image registry doesn't start: see ${folder}/registry.log.`,
    });
    return registry;
  }

  /** Passes a request below /v2 on to it. */
  pass(incoming: IncomingMessage, response: ServerResponse): void {
    const { method, url: path } = incoming;
    const { host, port } = this;
    const asked = request(
      { host, port, method, path, headers: without(incoming.headers, "authorization") },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    asked.once("error", () => {
      response.destroy();
    });
    incoming.pipe(asked);
  }

  stop(): void {
    this.child?.kill();
  }
}
