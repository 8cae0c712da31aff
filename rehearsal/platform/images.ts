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

/** What a build is told besides its context. */
export interface BuildOptions {
  /** The Dockerfile's path in the context. Default: `Dockerfile`. */
  readonly dockerfile?: string;
  /** Build arguments. Default: none. */
  readonly args?: Readonly<Record<string, string>>;
}

/**
 * Builds an image in a host from a context, given as a tar archive, under a name. Returns what the build said.
 * @throws with the end of what it said
 */
export async function buildImage(
  host: Host,
  context: Buffer,
  name: string,
  { dockerfile = "Dockerfile", args = {} }: BuildOptions = {},
): Promise<string> {
  const values = Object.entries(args).map(([variable, value]) => `${variable}=${value}\0`);
  // Values are no arguments, as those are for all to see: podman takes them from its environment.
  const kept = await host.exec("umask 077; file=$(mktemp); cat >$file; echo $file", { input: values.join("") });
  if (kept.code !== 0) throw new Error(`the image ${name} can't be built: ${kept.stderr}`);
  const file = kept.stdout.trim();
  const folder = `context=$(mktemp -d); trap 'rm -rf "$context" ${file}' EXIT; tar -C "$context" -x`;
  const read = `while IFS= read -r -d '' pair; do export "$pair"; done <${file}`;
  const named = Object.keys(args).map((variable) => `--build-arg ${variable}`);
  // Builds ask for more open files than the host itself may have.
  const limits = '--ulimit "nofile=$(ulimit -Sn):$(ulimit -Hn)" --ulimit "nproc=$(ulimit -Su):$(ulimit -Hu)"';
  const build = `/usr/bin/podman build --pull=never ${limits} ${named.join(" ")} --tag '${name}' --file "$context/${dockerfile}" "$context"`;
  const built = await host.exec(`set -e; ${folder}; ${read}; ${build} 2>&1`, { input: context });
  if (built.code !== 0) throw new Error(`the image ${name} can't be built: ${built.stdout.slice(-2000)}`);
  return built.stdout;
}
