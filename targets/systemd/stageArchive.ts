import { gzipSync } from "node:zlib";
import { writeTar, type TarEntry } from "../../drivers/source/tar";
import { projectTexts } from "../../drivers/text";
import { hostScript } from "./hostScript";
import type { HostPlan } from "./plan";
import { renderStage } from "./render";

/** Where the host's tools are installed. */
const tools = "/usr/local/lib/homeport";

/** A stage's files by path, with what is the same for all apps: deploy.sh and the tools. */
export function stageFiles(plan: HostPlan): Map<string, string> {
  const files = new Map(renderStage(plan).files.map(({ path, content }) => [path, content]));
  files.set("deploy.sh", hostScript());
  const lines: string[] = [];
  for (const [name, text] of Object.entries(projectTexts("targets/systemd/host/tools"))) {
    files.set(`files${tools}/${name}`, text);
    // Parts that tools share are read, not run.
    lines.push(`shared ${name.includes(".") ? "0644" : "0755"} root root ${tools}/${name}\n`);
  }
  files.set("MANIFEST", (files.get("MANIFEST") ?? "") + lines.join(""));
  return files;
}

/** The stage as a gzip'd tar. Secret: it holds variables and passwords. */
export async function stageArchive(plan: HostPlan): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of writeTar(entries(stageFiles(plan)))) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks), { level: 1 });
}

async function* entries(files: ReadonlyMap<string, string>): AsyncGenerator<TarEntry> {
  const sorted = [...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const [path, text] of sorted) {
    const content = Buffer.from(text, "utf8");
    yield { path, type: "file", size: content.length, content: once(content) };
  }
  await Promise.resolve();
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  if (content.length > 0) yield content;
  await Promise.resolve();
}
