import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../host/host";

/** A Docker Engine that images are built by. */
export interface Docker {
  /** As `docker:host` has it, `tcp://10.…:2375`. */
  readonly host: string;
  /** The images there, `registry.fly.io/hotrod-prod:web`, without what Dockerfiles begin with. */
  images(): Promise<readonly string[]>;
}

const script = readFileSync(join(__dirname, "engine.sh"), "utf8");
const port = 2375;

/**
 * Starts a Docker Engine in a host, unless it runs: podman's service, which has the same API. It sees the images of Docker Hub
 * that the host has, and nothing of this machine.
 * @param registries where each registry really is, `host:port`, by the name that images have it by
 */
export async function openDocker(host: Host, registries: Readonly<Record<string, string>>): Promise<Docker> {
  const pairs = Object.entries(registries).map((pair) => pair.join("="));
  const started = await host.exec(`address=${host.address} port=${port} registries='${pairs.join(" ")}'\n${script}`);
  if (started.code !== 0) throw new Error(`The rehearsal's Docker Engine doesn't start: ${started.stderr}`);
  return {
    host: `tcp://${host.address}:${port}`,
    images: async () => {
      const listed = await host.exec("podman images --format '{{.Repository}}:{{.Tag}}'");
      return listed.stdout
        .split("\n")
        .filter((name) => Object.keys(registries).some((one) => name.startsWith(`${one}/`)));
    },
  };
}
