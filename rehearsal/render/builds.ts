import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Host } from "../host/host";
import { buildImage } from "../platform/images";
import type { Repositories } from "../platform/repositories";
import type { BuildOrder } from "./world";

/** What native runtimes are built on. */
const bases: Readonly<Record<string, string>> = {
  node: "docker.io/library/node:20-bullseye",
  python: "docker.io/library/python:3.11-slim",
};

function nativeDockerfile({ runtime, buildCommand }: BuildOrder): string {
  const base = bases[runtime];
  if (base === undefined) throw new Error(`The rehearsal builds no ${runtime}.`);
  // https://render.com/docs/native-environment-tools: sources lie in /opt/render/project/src.
  const run = JSON.stringify(["/bin/sh", "-c", buildCommand]);
  return `FROM ${base}\nWORKDIR /opt/render/project/src\nCOPY . .\nRUN ${run}\n`;
}

/** A path below a root directory, without the dots it may have. */
const inside = (root: string, path: string): string => posix.join("/", root, path).slice(1);

/** Builds what services' repositories hold, in a host; what several services ask for alike, once. Gives images' names. */
export function builder(host: Host, repositories: Repositories): (order: BuildOrder) => Promise<string> {
  const built = new Map<string, Promise<void>>();
  return async (order) => {
    const hash = createHash("sha256").update(JSON.stringify(order)).digest("hex").slice(0, 16);
    const name = `localhost/render/${hash}:latest`;
    const building = built.get(name) ?? build(host, repositories, order, name);
    built.set(name, building);
    await building.catch((error: unknown) => {
      built.delete(name);
      throw error;
    });
    return name;
  };
}

async function build(host: Host, repositories: Repositories, order: BuildOrder, name: string): Promise<void> {
  const { repo, commit, rootDir, runtime, dockerContext, dockerfilePath } = order;
  if (runtime !== "docker") {
    const context = await repositories.archive(repo, commit, rootDir, { Dockerfile: nativeDockerfile(order) });
    await buildImage(host, context, name);
    return;
  }
  const folder = inside(rootDir, dockerContext);
  const file = posix.relative(folder, inside(rootDir, dockerfilePath));
  if (file.startsWith("..")) throw new Error(`${dockerfilePath} lies outside of the build's context ${dockerContext}.`);
  await buildImage(host, await repositories.archive(repo, commit, folder), name, { dockerfile: file });
}
