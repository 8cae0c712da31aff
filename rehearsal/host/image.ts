import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./host";
import { RehearsalError } from "./run";

const folder = join(__dirname, "image");

/** The images that a rehearsal can stand in for, by repository: what runs in each, under Python, and on which port. */
const standIns: Readonly<Record<string, { readonly program: string; readonly port: number }>> = {
  "docker.io/unclecode/crawl4ai": { program: join(__dirname, "../standins/crawl4ai/server.py"), port: 11235 },
};

/** An image's name, taken apart. */
export interface ImageName {
  /** With the registry that podman and Docker assume, such as `docker.io/library/redis`. */
  readonly repository: string;
  /** Default: latest. */
  readonly tag: string;
}

/** Takes apart an image reference without a digest. */
export function parseReference(reference: string): ImageName {
  const [, name = reference, tag = "latest"] = /^(.+?)(?::([\w.-]+))?$/.exec(reference) ?? [];
  const [first = "", ...others] = name.split("/");
  if (others.length > 0 && (/[.:]/.test(first) || first === "localhost")) return { repository: name, tag };
  return { repository: `docker.io/${others.length > 0 ? "" : "library/"}${name}`, tag };
}

/**
 * Puts a stand-in of an image into a host's podman under the image's own name, as no image registry can be reached: what
 * then runs that image pulls nothing. Nothing if it is there. Throws for an image that has no stand-in.
 */
export async function importImage(host: Pick<Host, "exec">, reference: string): Promise<void> {
  const { repository, tag } = parseReference(reference);
  const standIn = standIns[repository];
  if (standIn === undefined) {
    const known = Object.keys(standIns).join(", ");
    throw new RehearsalError(
      `There is no stand-in for the image ${reference}: the rehearsal has ${known}. Add one to rehearsal/host/image.ts.`,
    );
  }
  const script = readFileSync(join(folder, "import.sh"), "utf8");
  const imported = await host.exec(`name='${repository}:${tag}' port=${standIn.port}\n${script}`, {
    input: readFileSync(standIn.program),
  });
  if (imported.code !== 0) throw new Error(`podman can't import the stand-in of ${reference}: ${imported.stderr}`);
}
