import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bootHost } from "../host/host";
import type { Machine } from "../host/machine";
import type { Network } from "../host/network";
import { serveNames } from "../platform/dns";
import { ensureBaseImages } from "../platform/images";
import { PodmanRuntime } from "../platform/podman";
import { Repositories } from "../platform/repositories";
import type { PlatformTools } from "../platform/tools";
import { builder } from "./builds";
import { startRender } from "./emulator";
import { lookUp } from "./names";

/** What the emulator's process is told, in a file. */
export interface RenderProcess {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly machine: Machine;
  readonly network: Network;
  readonly tools: PlatformTools;
  /** Who answers names that aren't Render's. */
  readonly nameservers: readonly string[];
}

async function main(file: string): Promise<void> {
  const given = JSON.parse(readFileSync(file, "utf8")) as RenderProcess;
  const { folder, address, port, machine, network, tools, nameservers } = given;
  const host = await bootHost({ machine, network });
  const runtime = new PodmanRuntime({
    host,
    machine,
    init: tools.init,
    nameserver: address,
    pullFrom: () => undefined,
  });
  await Promise.all([runtime.prepare(), ensureBaseImages(host)]);
  const repositories = new Repositories(join(folder, "repositories"));
  const render = await startRender({
    file: join(folder, "state.json"),
    runtime,
    host: address,
    port,
    settings: {
      commit: (repo, branch, commit) =>
        commit === undefined ? repositories.head(repo, branch) : repositories.find(repo, commit),
      build: builder(host, repositories),
    },
    extras: { repository: (name, from, branch) => repositories.commit(name, from, branch) },
  });
  await serveNames(address, (name) => lookUp(render.world, name), nameservers);
  process.stdout.write(`listening on ${render.endpoint}\n`);
}

if (require.main === module)
  main(process.argv[2]!).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
