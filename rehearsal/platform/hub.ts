import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder, withLock } from "../host/cache";
import type { Host } from "../host/host";
import { must, run } from "../host/run";

const script = readFileSync(join(__dirname, "hub.sh"), "utf8");
const standins = join(__dirname, "../standins");

/** What all images are made of: a host's own Debian, with Node.js, Python, Redis and Postgres. */
const base = "docker.io/library/debian:trixie";

/** Its further names: what the stand-ins' Dockerfiles begin with. */
const aliases = ["node:20-bullseye", "python:3.11-slim", "python:3.11-alpine"].map(
  (name) => `docker.io/library/${name}`,
);

interface HubImage {
  /** With a Dockerfile. */
  readonly folder: string;
  readonly names: readonly string[];
}

/** The images that Docker Hub has in a rehearsal besides those that Dockerfiles begin with. One may be made from those before it. */
const images: readonly HubImage[] = [
  { folder: join(__dirname, "hub/redis"), names: ["docker.io/library/redis:7.4", "docker.io/library/redis:7"] },
  { folder: join(__dirname, "hub/node"), names: ["docker.io/library/node:20-slim"] },
  { folder: join(__dirname, "hub/pgvector"), names: ["docker.io/pgvector/pgvector:pg17"] },
  {
    folder: join(__dirname, "hub/postgres"),
    names: ["docker.io/library/postgres:17", "docker.io/library/postgres:16"],
  },
  { folder: join(standins, "crawl4ai"), names: ["docker.io/unclecode/crawl4ai:0.7.4"] },
];

/** Apps whose dependencies are installed beforehand: a build takes that from the cache until their lock files change. */
const warm = ["hotrod", "tileshop", "clausea/apps/backend"].map((folder) => join(standins, folder));
const isLock = (file: string): boolean =>
  /^(Dockerfile|package.*\.json|requirements\.txt|pyproject\.toml|uv\.lock)$/.test(file);

/** The store's folder, in the cache and below the one for a host's containers: named by all that it is made of. */
function storeName(host: Host): string {
  const hash = createHash("sha256");
  hash.update(script).update(JSON.stringify([base, aliases]));
  for (const { folder, names } of images) {
    hash.update(JSON.stringify(names));
    for (const file of readdirSync(folder).sort()) hash.update(file).update(readFileSync(join(folder, file)));
  }
  for (const folder of warm)
    for (const file of readdirSync(folder).filter(isLock).sort()) hash.update(readFileSync(join(folder, file)));
  return `${basename(host.root)}-${hash.digest("hex").slice(0, 12)}`;
}

/** Copies a store of images. Links where that can be: nothing in it is changed once it is there. */
async function copyStore(from: string, to: string): Promise<void> {
  const part = `${to}.part`;
  rmSync(part, { recursive: true, force: true });
  const linked = await run(["cp", "-al", from, part]);
  if (linked.code !== 0) {
    rmSync(part, { recursive: true, force: true });
    await must(["cp", "-a", from, part]);
  }
  rmSync(to, { recursive: true, force: true });
  renameSync(part, to);
}

/** Removes what was left half-made, and the stores of roots that are gone. */
function prune(folder: string, roots: string): void {
  const there = readdirSync(roots);
  for (const name of readdirSync(folder)) {
    if (!there.some((root) => name.startsWith(root))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

async function makeStore(host: Host, store: string): Promise<void> {
  const folders = [...images.map(({ folder }) => folder), ...warm];
  const context = execFileSync("tar", [
    ...[
      "-c",
      "--exclude=node_modules",
      "--exclude=.venv",
      "--exclude=__pycache__",
      "--exclude=data",
      "--exclude=storage",
    ],
    ...folders.flatMap((folder) => ["-C", join(folder, ".."), basename(folder)]),
  ]);
  const others = images.map(({ folder, names }) => [basename(folder), ...names].join(" ")).join("\n");
  const settings = `store=${store} base=${base} aliases='${aliases.join(" ")}' others='${others}' \
    warm='${warm.map((folder) => basename(folder)).join(" ")}'`;
  const made = await host.exec(`${settings}\n${script}`, { input: context });
  if (made.code !== 0) throw new Error(`the images of Docker Hub can't be made: ${made.stderr}`);
}

const settings = (store: string): string => `\
[storage]
driver = "overlay"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
[storage.options]
additionalimagestores = ["${store}"]
`;

/** Gzip takes four times as long for the same size, and the first push of an image in a host compresses its base. */
const compression = '[engine]\\ncompression_format = "zstd"\\ncompression_level = 1\\n';
const ownSettings = "/etc/containers/containers.conf.d/hub.conf";

/**
 * Gives a host's podman the images that Docker Hub would have: all that the documented apps and the stand-ins' Dockerfiles
 * name. What isn't among them is as unknown as it would be there. Made once for each Debian root, in a minute; then a copy.
 */
export async function ensureHub(host: Host): Promise<void> {
  const name = storeName(host);
  const kept = join(cacheFolder(), "rehearsal", "images", name);
  const store = `/var/lib/containers/${name}`;
  mkdirSync(join(kept, ".."), { recursive: true });
  await withLock(`${kept}.lock`, async () => {
    if ((await host.exec(`test -e ${store}/complete`)).code !== 0) {
      const own = join(host.containers, name);
      if (existsSync(kept)) await copyStore(kept, own);
      else {
        prune(join(kept, ".."), join(host.root, ".."));
        await makeStore(host, store);
        await copyStore(own, kept);
      }
    }
    // Hosts that are booted from now on have it from the start.
    if (existsSync(kept)) await must(["ln", "-sfn", name, join(kept, "..", basename(host.root))]);
    const told = await host.exec(`cat >/etc/containers/storage.conf; printf '${compression}' >${ownSettings}`, {
      input: settings(store),
    });
    if (told.code !== 0) throw new Error(`podman can't be told of the images: ${told.stderr}`);
  });
}
