import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import { Repositories } from "../../../rehearsal/platform/repositories";
import { targets } from "../../../targets";
import type { RailwaySpec } from "../../../targets/railway/plan";
import { secretMarkers } from "../../support/config";
import { promiseOf, recordResources, type Recorded } from "../../support/mocks";
import { standIn } from "./bench";
import { railwayConfig } from "./plans";

const cwd = resolve(__dirname, "../../..");

const secretOf = (value: unknown): string => {
  assert.ok(typeof value === "object" && value !== null && "value" in value, "It isn't marked as a secret.");
  return String(value.value);
};

describe("an app's home on Railway", () => {
  let recorded: Recorded[];
  let folder: string;
  let summary: Record<string, unknown>;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "homeport-repository-"));
    const repositories = new Repositories(folder);
    await repositories.commit("acme/clausea", standIn);
    recorded = await recordResources();
    const config = railwayConfig(join(folder, "acme", "clausea.git"));
    const outputs = await deployStack({ apps, targets, config, cwd });
    const [clausea] = Object.values(outputs);
    assert.ok(clausea !== undefined);
    summary = (await promiseOf(clausea)) as Record<string, unknown>;
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const command = () => {
    const found = recorded.find(({ type }) => type === "command:local:Command");
    assert.ok(found !== undefined);
    return found.inputs;
  };

  it("is one command, and what has to be remembered between deploys", () => {
    const names = (type: string) => recorded.filter((one) => one.type === type).map(({ name }) => name);
    assert.deepEqual(names("command:local:Command"), ["clausea-railway"]);
    assert.deepEqual(names("random:index/randomPassword:RandomPassword").sort(), [
      "clausea-pepper",
      "clausea-redis-password",
    ]);
    assert.equal(summary.project, "clausea");
    assert.equal(summary.environment, "dev");
    assert.match(String(command().create), /^node \S+ railway app apply$/);
  });

  it("hands the driver a spec that holds everything, as a secret", () => {
    const spec = JSON.parse(secretOf(command().stdin)) as RailwaySpec;
    assert.equal(spec.connection.url, "https://backboard.railway.com/graphql/v2");
    assert.equal(spec.connection.kind, "api");
    assert.equal(spec.services[0]?.variables.REDIS_PASSWORD, "generated-clausea-redis-password");
    assert.equal(spec.pepper, "generated-clausea-pepper");
  });

  it("shows what a change is about, what can't be changed later, and no secret", () => {
    const text = JSON.stringify({ ...command(), stdin: undefined });
    for (const secret of [...secretMarkers, "00000000-0000", "generated-"]) assert.ok(!text.includes(secret), secret);
    const { environment } = command() as { environment: Record<string, string> };
    assert.match(environment.HOMEPORT_API_CODE ?? "", /^[0-9a-f]{40} apps\/backend$/);
    assert.equal(environment.HOMEPORT_DASHBOARD_INSTANCES, "1 of 1 CPU, 1 GB");
    assert.equal(environment.HOMEPORT_DASHBOARD_ACCESS, "open to everyone, behind the login that it asks for itself");
    assert.equal(environment.HOMEPORT_API_ENV_OPENAI_API_KEY, "[secret]");
    assert.match(environment.HOMEPORT_REDIS ?? "", /it only grows, and another major version is refused$/);
    assert.match(environment.HOMEPORT_RAILWAY ?? "", /^environment dev of project clausea; another name makes new/);
  });
});
