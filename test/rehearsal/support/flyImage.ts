import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../../../rehearsal/site";

const script = readFileSync(join(__dirname, "../../../rehearsal/host/image/import.sh"), "utf8");
const program = readFileSync(join(__dirname, "flyApp.py"));

/** Puts flyApp.py, under the host's own Python, into the host that machines run in, as an image of some name. */
export async function loadImage(host: Host, name: string): Promise<void> {
  const loaded = await host.exec(`name='${name}' port=8080\n${script}`, { input: program });
  if (loaded.code !== 0) throw new Error(`the image can't be made: ${loaded.stderr}`);
}
