import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderStage } from "../../../../targets/systemd/render";
import { cloudPlan, richPlan } from "./richPlan";

const folder = join(__dirname, "../../../golden/systemd");

/** Name of the golden file that a file of the stage is kept in. */
function goldenOf(path: string): string | undefined {
  const [, service, slot] = /^slots\/([^/]+)\/([^/]+)\//.exec(path) ?? [];
  if (service !== undefined) return slot === "a" ? `slot-${service}-a.txt` : undefined;
  if (/^files\/etc\/systemd\/system\/homeport-/.test(path)) return "host-units.txt";
  if (/^files\/etc\/systemd\/system\//.test(path)) return "app-units.txt";
  if (/^files\/etc\/homeport\/(proxy|firewall)|^proxy\.cfg|^domains|^firewall/.test(path)) return "network.txt";
  if (/^files\/etc\/homeport\/[^/]+\/(exec|run)\//.test(path)) return "commands.txt";
  if (path === "plan.sh" || path === "MANIFEST") return path;
  return "settings.txt";
}

/** The stage as golden files: those of the stage one after the other, each under its path and mode. */
function rendered(): Map<string, string> {
  const golden = new Map<string, string>();
  for (const { path, mode, content } of renderStage(richPlan).files) {
    const name = goldenOf(path);
    if (name === undefined) continue;
    const alone = name === path;
    const end = content === "" || content.endsWith("\n") ? "" : "\n(no line break at the end)\n";
    const text = alone ? content : `======== ${path} ${mode.toString(8).padStart(4, "0")}\n${content}${end}`;
    golden.set(name, (golden.get(name) ?? "") + text);
  }
  golden.set("cloud.txt", cloudPart());
  return golden;
}

/** What a machine of a cloud has besides, or otherwise. */
function cloudPart(): string {
  const before = new Map(renderStage(richPlan).files.map((file) => [file.path, file.content]));
  const hash = (text: string): string => text.replace(/:hash\]=\w+/g, ":hash]=…");
  return renderStage(cloudPlan)
    .files.filter(({ path, content }) => !/^slots\/[^/]+\/b\//.test(path) && before.get(path) !== content)
    .map(({ path, mode, content }) => {
      const known = new Set(before.get(path)?.split("\n"));
      const lines = content.split("\n").filter((line) => !known.has(line));
      return `======== ${path} ${mode.toString(8).padStart(4, "0")}${known.size > 1 ? ", new lines" : ""}\n${hash(lines.join("\n")).trimEnd()}\n`;
    })
    .join("");
}

describe("the stage of an app with a thing of each kind", () => {
  const expected = rendered();
  if (process.env["UPDATE_GOLDEN"] === "1") {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of expected) writeFileSync(join(folder, name), content);
  }

  for (const [name, content] of expected) {
    it(`has ${name} as test/golden/systemd/${name} has it (UPDATE_GOLDEN=1 rewrites it)`, () => {
      assert.equal(content, existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "");
    });
  }

  it("has no golden file that nothing is rendered for", () => {
    assert.deepEqual(readdirSync(folder).sort(), [...expected.keys()].sort());
  });

  it("differs between slots in nothing but their names", () => {
    const files = renderStage(richPlan).files.filter((file) => file.path.startsWith("slots/"));
    const toB = (text: string): string =>
      text.replace(/(web|api|worker|browser)([-./])a\b/g, "$1$2b").replaceAll("slot a", "slot b");
    const ofSlot = (slot: string) => files.filter((file) => file.path.split("/")[2] === slot);
    assert.deepEqual(
      ofSlot("a").map(({ path, mode, content }) => ({ path: toB(path), mode, content: toB(content) })),
      ofSlot("b"),
    );
  });

  it("renders the same plan to the same text", () => {
    assert.deepEqual(renderStage(richPlan), renderStage(structuredClone(richPlan)));
  });
});
