import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../host/host";

const script = readFileSync(join(__dirname, "baseImage.sh"), "utf8");

/** What the stand-ins' Dockerfiles begin with. */
const baseImages = ["node:20-bullseye", "python:3.11-slim", "python:3.11-alpine"];

/** Makes the images that Dockerfiles begin with in a host: its own Debian, with Node.js and Python. Half a minute, once. */
export async function ensureBaseImages(host: Host, names: readonly string[] = baseImages): Promise<void> {
  const full = names.map((name) => `docker.io/library/${name}`).join(" ");
  const made = await host.exec(`names='${full}'\n${script}`);
  if (made.code !== 0) throw new Error(`the base images can't be made: ${made.stderr}`);
}

/**
 * Builds an image in a host from a context with a Dockerfile, given as a tar archive, under a name.
 * @param dockerfile its path in the context. Default: `Dockerfile`
 */
export async function buildImage(host: Host, context: Buffer, name: string, dockerfile = "Dockerfile"): Promise<void> {
  const folder = 'context=$(mktemp -d); trap \'rm -rf "$context"\' EXIT; tar -C "$context" -x';
  // Builds ask for more open files than the host itself may have.
  const limits = '--ulimit "nofile=$(ulimit -Sn):$(ulimit -Hn)" --ulimit "nproc=$(ulimit -Su):$(ulimit -Hu)"';
  const built = await host.exec(
    `set -e; ${folder}; podman build --quiet --pull=never ${limits} --tag '${name}' --file "$context/${dockerfile}" "$context"`,
    {
      input: context,
    },
  );
  if (built.code !== 0) throw new Error(`the image ${name} can't be built: ${built.stderr.slice(-2000)}`);
}
