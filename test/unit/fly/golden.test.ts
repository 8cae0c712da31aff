import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FlySpec } from "../../../targets/fly/plan";
import { planOf } from "./plans";
import { Scene, specOf } from "./scene";

const golden = join(__dirname, "../../golden/fly");
/** Longer values are told by their hash. */
const longest = 400;

/** The requests that Fly gets, word by word: what is asked for, with which values. UPDATE_GOLDEN=1 writes them anew. */
describe("the requests of a deploy to Fly", () => {
  const shown = (value: unknown): string =>
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === "string" && part.length > longest
        ? `<${part.length} characters, ${createHash("sha256").update(part).digest("hex").slice(0, 12)}>`
        : part,
    )
      // Attempts have names of their own; hashes stand for all that a machine was made of.
      .replace(/"homeport_launch":"[0-9a-f-]{36}"/g, '"homeport_launch":"<attempt>"')
      .replace(/"homeport_before":"[^"]*"/g, '"homeport_before":"<the version before>"');

  function sameAsGolden(scene: Scene, name: string): void {
    const lines: string[] = [];
    let last = "";
    for (const { line, body } of scene.fly.sent.splice(0)) {
      const text = [
        line.replace(/[0-9a-f-]{36}/g, "<attempt>"),
        ...(body === undefined ? [] : [`  ${shown(body)}`]),
      ].join("\n");
      // Looks at the same machine, until it is as it should be.
      if (text !== last) lines.push(text);
      last = text;
    }
    const text = `${lines.join("\n")}\n`;
    const path = join(golden, name);
    if (process.env.UPDATE_GOLDEN === "1") {
      mkdirSync(golden, { recursive: true });
      writeFileSync(path, text);
    }
    assert.equal(text, existsSync(path) ? readFileSync(path, "utf8") : "", `see test/golden/fly/${name}`);
  }

  /** hotrod's plan, on the platform of the scene. */
  async function hotrod(version: string): Promise<FlySpec> {
    const spec = await planOf("hotrod", version);
    return { ...spec, connection: specOf().connection };
  }

  it("are these for hotrod: first, unchanged, and with a new version", async () => {
    const scene = new Scene();
    scene.fly.nonce = () => "nonce";
    await scene.up(await hotrod("1"));
    sameAsGolden(scene, "first.txt");
    await scene.up(await hotrod("1"));
    sameAsGolden(scene, "unchanged.txt");
    await scene.up(await hotrod("2"));
    sameAsGolden(scene, "version.txt");
  });
});
