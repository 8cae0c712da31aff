import type { Host } from "../host/host";
import { ensureHub } from "./hub";

/**
 * Gives a host the images that Dockerfiles begin with: its own Debian, with Node.js and Python.
 * @param names further names for that image. Default: none but those of the stand-ins.
 */
export async function ensureBaseImages(host: Host, names: readonly string[] = []): Promise<void> {
  await ensureHub(host);
  for (const name of names) {
    const made = await host.exec(`podman tag python:3.11-slim 'docker.io/library/${name}'`);
    if (made.code !== 0) throw new Error(`the base image ${name} can't be made: ${made.stderr}`);
  }
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
