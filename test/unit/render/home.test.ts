import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import { Repositories } from "../../../rehearsal/platform/repositories";
import { targets } from "../../../targets";
import type { RenderSpec } from "../../../targets/render/plan";
import { secretMarkers } from "../../support/config";
import { promiseOf, recordResources, type Recorded } from "../../support/mocks";
import { renderConfig } from "./plans";

const cwd = resolve(__dirname, "../../..");

describe("an app's home on Render", () => {
  let recorded: Recorded[];
  let folder: string;
  let commit: string;
  let outputs: unknown[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "homeport-render-"));
    commit = await new Repositories(folder).commit("acme/hotrod", join(cwd, "rehearsal/standins/hotrod"));
    recorded = await recordResources();
    const config = renderConfig({
      "hotrod:source": `git+file://${join(folder, "acme/hotrod.git")}#main`,
      "render:repositories": '{"hotrod":"https://github.com/acme/hotrod"}',
    });
    const made = await deployStack({ apps, targets, config, cwd });
    outputs = await Promise.all(Object.values(made).map(promiseOf));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const commandOf = (name: string): Record<string, unknown> =>
    recorded.find((one) => one.type === "command:local:Command" && one.name === name)!.inputs;

  it("is one command, its archive, and the key of its hashes", () => {
    const names = recorded
      .filter(({ type }) => !type.startsWith("homeport:"))
      .map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);
    assert.deepEqual(names.sort(), [
      "Command hotrod-backups",
      "Command hotrod-render",
      "RandomId hotrod-backups-id",
      "RandomPassword hotrod-pepper",
    ]);
    assert.equal((outputs[0] as { id: string }).id, "hotrod-dev");
  });

  it("hands the driver a spec that holds everything, as a secret", () => {
    const { stdin } = commandOf("hotrod-render") as { stdin: { value: string } };
    const spec = JSON.parse(stdin.value) as RenderSpec;
    assert.equal(spec.connection.apiUrl, "https://api.render.com");
    assert.equal(spec.pepper, "generated-hotrod-pepper");
    const [web] = spec.services;
    assert.equal(web!.code.kind === "repository" && web!.code.commit, commit);
    assert.equal(web!.env["SHOPIFY_ACCESS_TOKEN"], "marker-shopify-token");
  });

  it("shows what a change is about, what can't be changed, and no secret", () => {
    const { environment, ...rest } = commandOf("hotrod-render") as {
      environment: Record<string, string>;
      stdin: unknown;
    };
    const text = JSON.stringify({ ...rest, environment, stdin: undefined });
    for (const secret of [...secretMarkers, "testkey", "generated-"]) assert.ok(!text.includes(secret), secret);
    assert.equal(environment["HOMEPORT_WEB"], "web service hotrod-dev-web, 1 of starter");
    assert.equal(environment["HOMEPORT_WEB_CODE"], `https://github.com/acme/hotrod#main @ ${commit.slice(0, 12)}`);
    assert.equal(environment["HOMEPORT_WEB_ENV_OPENAI_API_KEY"], "[secret]");
    assert.match(environment["HOMEPORT_WEB_FIXED"]!, /in frankfurt: .* a new one, without what its disk holds/);
    assert.match(environment["HOMEPORT_DB_FIXED"]!, /version 17 in frankfurt: .* which is empty/);
    assert.match(environment["HOMEPORT_JOB_INGEST_IN"]!, /web's own instance/);
  });
});
