import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDriver } from "../../drivers/bundle";
import { fingerprint, type FolderSource } from "../../drivers/source";
import type { Host } from "../../rehearsal/site";
import { createHash } from "node:crypto";
import type { HostPlan, HostResult, HostSpec, PlannedDatabase, PlannedService } from "../../targets/systemd/plan";

const project = join(__dirname, "../..");

/** What a test may change of the app between deploys. */
export interface Wish {
  /** Printed by both services. */
  readonly version: string;
  /** `SICK`, `CRASH`, `SLOW` and others: see the programs below. */
  readonly env?: Readonly<Record<string, string>>;
  readonly release?: string;
  readonly worker?: string;
  readonly services?: readonly ("web" | "node" | "worker")[];
  readonly instances?: number;
  readonly startTimeoutSeconds?: number;
  readonly drainSeconds?: number;
  readonly onDelete?: HostPlan["onDelete"];
  readonly owner?: string;
  readonly port?: number;
  readonly databases?: readonly PlannedDatabase[];
  readonly jobs?: readonly string[];
  readonly releasesKept?: number;
  /** Bytes of zeros in the web program's source. */
  readonly ballast?: number;
  /** Lowest Node.js version of the node program. */
  readonly node?: string;
  /** What else of the plan is to be otherwise. */
  readonly plan?: Partial<Pick<HostPlan, "dataDisk" | "monitoring" | "buckets" | "alertWebhook">>;
}

const webProgram = (version: string): string => `
import http.server, json, os, sys, time
import idna
if os.environ.get("CRASH"):
    sys.exit("the web program crashes as it was told to")
started = time.time()
class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = 500 if self.path == "/health" and os.environ.get("SICK") else 200
        if self.path.startswith("/slow"): time.sleep(float(self.path.split("=")[1]))
        secret = open(os.environ["TOKEN"]).read() if "TOKEN" in os.environ else ""
        body = json.dumps({"version": ${JSON.stringify(version)}, "greeting": os.environ.get("GREETING"), "secret": len(secret), "pid": os.getpid()}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *parts): pass
time.sleep(float(os.environ.get("SLOW", "0")))
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Web).serve_forever()
`;

const nodeProgram = (version: string): string => `
const ms = require("ms");
require("node:http").createServer((request, response) => response.end(JSON.stringify({ version: ${JSON.stringify(version)}, minute: ms("1m") }))).listen(process.env.PORT, "127.0.0.1");
`;

const lock = {
  name: "tiny-node",
  version: "1.0.0",
  lockfileVersion: 3,
  requires: true,
  packages: {
    "": { name: "tiny-node", version: "1.0.0", dependencies: { ms: "2.1.3" } },
    "node_modules/ms": {
      version: "2.1.3",
      resolved: "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz",
      integrity: "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
      license: "MIT",
    },
  },
};

/** How a run of the driver ended. */
export interface Run {
  readonly code: number | null;
  readonly result?: HostResult;
  readonly stderr: string;
  readonly seconds: number;
}

/** An app of two tiny programs, deployed by the real driver in a process of its own. */
export class DeployApp {
  private readonly folder = mkdtempSync(join(tmpdir(), "homeport-deploy-"));
  private readonly running = new Set<ChildProcess>();
  readonly id: string;

  constructor(
    private readonly host: Host,
    readonly name: string,
    readonly port: number,
  ) {
    this.id = `${name}-test`;
  }

  remove(): void {
    for (const child of this.running) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  private sources(version: string, ballast = 0): { web: FolderSource; node: FolderSource } {
    const folder = (name: string, files: Record<string, string>): FolderSource => {
      const path = join(this.folder, `${name}-${version}-${ballast}`);
      mkdirSync(path, { recursive: true });
      if (ballast > 0) {
        writeFileSync(join(path, "ballast"), "");
        truncateSync(join(path, "ballast"), ballast);
      }
      for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
      return { kind: "folder", path };
    };
    return {
      web: folder("web", { "app.py": webProgram(version), "requirements.txt": "idna==3.10\n" }),
      node: folder("node", {
        "server.js": nodeProgram(version),
        "package.json": JSON.stringify({ name: "tiny-node", version: "1.0.0", dependencies: { ms: "2.1.3" } }),
        "package-lock.json": JSON.stringify(lock),
      }),
    };
  }

  async plan(wish: Wish): Promise<HostPlan> {
    const wanted = wish.services ?? ["web", "node"];
    const port = wish.port ?? this.port;
    const sources = this.sources(wish.version, wish.ballast);
    const common = {
      startTimeoutSeconds: wish.startTimeoutSeconds ?? 10,
      drainSeconds: wish.drainSeconds ?? 5,
      instances: wish.instances ?? 1,
      ...{ sticky: false, memoryMib: 128, cpus: 1, folders: ["/data/inbox"], checks: [] },
      volumes: [{ path: "/data", sizeMib: 64 }],
      env: { GREETING: "hello", ...wish.env },
      secretFiles: [
        { variable: "TOKEN", content: "a secret of the test", rewritten: false },
        { variable: "SESSION", content: "a session of the test", rewritten: true },
      ],
    };
    const code = async (
      source: FolderSource,
      runtime: Extract<PlannedService["code"], { source: unknown }>["runtime"],
    ) => {
      const print = await fingerprint(source, { cwd: project });
      return {
        releaseId: createHash("sha256")
          .update(JSON.stringify([print.id, runtime]))
          .digest("hex")
          .slice(0, 16),
        source,
        fingerprint: print,
        runtime,
      };
    };
    const web = await code(sources.web, { language: "python", version: "3.11" });
    const node = await code(sources.node, { language: "node", version: wish.node ?? "18" });
    const all: Record<"web" | "node" | "worker", PlannedService> = {
      web: {
        ...{
          name: "web",
          code: web,
          command: "python app.py",
          publicPort: port,
          listens: true,
          health: "/health",
          ...common,
        },
        ...(wish.release === undefined ? {} : { release: wish.release }),
      },
      node: {
        name: "node",
        code: node,
        command: "node server.js",
        publicPort: port + 1,
        listens: true,
        health: "/health",
        ...common,
      },
      worker: {
        ...common,
        name: "worker",
        code: web,
        command: wish.worker ?? "sleep 10000",
        listens: false,
      },
    };
    return {
      ...{ app: this.name, stack: "test", id: this.id, user: this.id, buckets: [], commands: [] },
      services: wanted.map((name) => all[name]),
      jobs: (wish.jobs ?? ["nightly"]).map((name) => ({
        ...{
          name,
          service: wanted[0] ?? "web",
          onCalendar: ["*-*-* 03:00:00 UTC"],
          commands: ["pwd -P"],
          onFailure: "stop" as const,
        },
        ...{ timeoutSeconds: 60, env: {} },
      })),
      databases: wish.databases ?? [],
      ...{
        diskAlarm: 0.8,
        diskReport: [],
        acme: {},
        releasesKept: wish.releasesKept ?? 3,
        owner: wish.owner ?? "vps/test",
        onDelete: wish.onDelete ?? "keep data",
      },
      firewall: { manage: true, sshFrom: [], open: [port, port + 1].map((open) => ({ port: open, from: [] })) },
      ...wish.plan,
    };
  }

  /** Starts the driver; `connection` overrides how the host is reached. */
  async start(
    wish: Wish,
    verb = "apply",
    connection: Partial<HostSpec["connection"]> = {},
  ): Promise<{ child: ChildProcess; done: Promise<Run> }> {
    const { address, port, user, hostKey, privateKey } = this.host;
    const spec: HostSpec = {
      connection: { address, port, user, hostKey, privateKey, ...connection },
      plan: await this.plan(wish),
    };
    const began = Date.now();
    const child = spawn("node", [ensureDriver(), "systemd", "app", verb], {
      cwd: project,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.running.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.end(JSON.stringify(spec));
    const done = new Promise<Run>((resolve) => {
      child.once("close", (code) => {
        this.running.delete(child);
        const result = code === 0 ? { result: JSON.parse(stdout) as HostResult } : {};
        resolve({ code, stderr, seconds: (Date.now() - began) / 1000, ...result });
      });
    });
    return { child, done };
  }

  async run(wish: Wish, verb = "apply", connection: Partial<HostSpec["connection"]> = {}): Promise<Run> {
    return (await this.start(wish, verb, connection)).done;
  }

  /** A run that must succeed. */
  async deploy(wish: Wish, verb = "apply"): Promise<HostResult> {
    const { code, result, stderr } = await this.run(wish, verb);
    assert.equal(code, 0, stderr);
    assert.ok(result !== undefined);
    return result;
  }

  /** What a service answers through the proxy, from outside of the host. */
  async ask(path = "/", port = this.port): Promise<Answer> {
    const { status, text } = await request(this.host.address, port, path);
    assert.equal(status, 200, text);
    return JSON.parse(text) as Answer;
  }

  /** Asks without a pause until it is ended. @returns how many answers came and which requests failed */
  pollUntil(stop: { over: boolean }): Promise<{ answers: number; failures: string[]; versions: Set<string> }> {
    const seen = { answers: 0, failures: [] as string[], versions: new Set<string>() };
    const loop = async (): Promise<typeof seen> => {
      while (!stop.over) {
        try {
          seen.versions.add((await this.ask()).version);
          seen.answers++;
        } catch (error) {
          seen.failures.push(String(error));
        }
      }
      return seen;
    };
    return loop();
  }

  async shell(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.host.exec(command);
    assert.equal(code, 0, `${command}: ${stdout}${stderr}`);
    return stdout.trim();
  }
}

export interface Answer {
  readonly version: string;
  readonly greeting: string;
  readonly secret: number;
  readonly pid: number;
  readonly minute: number;
}

function request(address: string, port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: address, port, path, agent: false, timeout: 15_000 }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
      response.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer in 15 s")));
    asked.on("error", reject);
  });
}
