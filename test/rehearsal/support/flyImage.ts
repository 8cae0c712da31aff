import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { buildImage } from "../../../rehearsal/platform/images";
import type { Host } from "../../../rehearsal/site";

/** Puts flyApp/ into the host that machines run in, as an image of some name. */
export async function loadImage(host: Host, name: string): Promise<void> {
  await buildImage(host, execFileSync("tar", ["-C", join(__dirname, "flyApp"), "-c", "."]), name);
}
