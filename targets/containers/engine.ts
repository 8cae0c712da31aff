import { request } from "node:http";
import type { Problem } from "../../components/problems";
import type { StackConfig } from "../../components/settings";

/** The Docker Engine that images are built by, as the docker provider finds it. */
export interface DockerEngine {
  /** `docker:host` or DOCKER_HOST; undefined for the provider's default, the socket of this machine or user. */
  readonly host: string | undefined;
  /** Why none answers there; undefined where one does, or where only the provider can tell. */
  readonly absent: string | undefined;
}

const defaultSocket = "/var/run/docker.sock";
const patienceMs = 5_000;

/** Looks whether a Docker Engine answers, before anything is touched: the provider would fail in the middle. */
export async function findEngine(config: StackConfig, env: NodeJS.ProcessEnv = process.env): Promise<DockerEngine> {
  const host = config.entries.get("docker:host")?.value ?? (env["DOCKER_HOST"] === "" ? undefined : env["DOCKER_HOST"]);
  const tried = await Promise.all(addressesOf(host, env).map(ping));
  return { host, absent: tried.some((why) => why === undefined) ? undefined : tried[0] };
}

interface Address {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
}

/** None where it can't be told from here: an engine behind SSH or a named pipe. */
function addressesOf(host: string | undefined, env: NodeJS.ProcessEnv): Address[] {
  if (host === undefined) {
    // Docker Desktop's sockets of one user, which the provider tries after the machine's.
    const own =
      env["HOME"] === undefined ? [] : ["run", "desktop"].map((one) => `${env["HOME"]}/.docker/${one}/docker.sock`);
    return [defaultSocket, ...own].map((socketPath) => ({ socketPath }));
  }
  if (host.startsWith("unix://")) return [{ socketPath: host.slice("unix://".length) }];
  if (!/^(tcp|https?):\/\//.test(host) || !URL.canParse(host)) return [];
  const { hostname, port } = new URL(host.replace(/^tcp:/, "http:"));
  return [{ host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 2375 : Number(port) }];
}

/** @returns why nothing answers; undefined where something does, whatever it says */
function ping(address: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request({ ...address, path: "/_ping", timeout: patienceMs, agent: false }, (answer) => {
      answer.resume();
      resolve(undefined);
    });
    call.once("timeout", () => call.destroy(new Error(`no answer within ${patienceMs / 1000} s`)));
    call.once("error", (error: NodeJS.ErrnoException) => {
      // One that speaks TLS alone ends the connection, or sends what isn't HTTP: it is there.
      const speaks = error.code === "ECONNRESET" || error.code?.startsWith("HPE_") === true;
      resolve(speaks ? undefined : error.message);
    });
    call.end();
  });
}

/** What to tell where no engine answers. @param apps whose images are to be built */
export function engineProblem({ host, absent }: DockerEngine, apps: readonly string[]): Problem {
  const denied = absent?.includes("EACCES") === true;
  return {
    where: host === undefined ? "docker" : "docker:host",
    what: `No Docker Engine answers at ${host ?? `unix://${defaultSocket}`}: ${absent ?? "unknown"}.`,
    why: `The images of ${apps.join(", ")} are built from their Dockerfiles.`,
    fix: denied
      ? "sudo usermod -aG docker $USER, then log in again"
      : "start Docker (sudo systemctl start docker, or Docker Desktop), or name another engine: pulumi config set docker:host ssh://user@host",
  };
}
