import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import { ProblemReport } from "../../../components/report";
import { targets } from "../../../targets";
import type { HostSpec } from "../../../targets/systemd/plan";
import { secretMarkers, workingConfig } from "../../support/config";
import { promiseOf, recordResources, type Recorded } from "../../support/mocks";

const cwd = resolve(__dirname, "../../..");

describe("deploying a stack", () => {
  let recorded: Recorded[];
  beforeEach(async () => {
    recorded = await recordResources();
  });

  const deploy = async (changes: Parameters<typeof workingConfig>[0] = {}) => {
    const outputs = await deployStack({ apps, targets, config: workingConfig(changes), cwd });
    return Promise.all(Object.values(outputs).map(promiseOf));
  };
  const ofType = (type: string) => recorded.filter((r) => r.type === type).map((r) => r.name);
  const specOf = (app: string): HostSpec => {
    const command = recorded.find((r) => r.type === "command:local:Command" && r.name === `${app}-vps-main`);
    return JSON.parse(secretOf(command?.inputs.stdin)) as HostSpec;
  };

  it("makes one command an app, one an archive, and a component for each part", async () => {
    await deploy();
    assert.deepEqual(ofType("command:local:Command").sort(), [
      "catscan-archive",
      "catscan-vps-main",
      "clausea-vps-main",
      "hotrod-backups",
      "hotrod-vps-main",
      "shopifly-backups",
      "shopifly-vps-main",
      "tileshop-backups",
      "tileshop-vps-main",
    ]);
    assert.equal(ofType("homeport:index:AppService").length, 8);
    assert.equal(ofType("homeport:index:ScheduledJob").length, 8);
    assert.deepEqual(ofType("random:index/randomPassword:RandomPassword").sort(), [
      "clausea-redis-password",
      "hotrod-db-password",
      "hotrod-redis-password",
      "tileshop-db-password",
    ]);
  });

  it("gives each database and bucket to the parts that refer to it", async () => {
    await deploy();
    const { plan } = specOf("hotrod");
    const web = plan.services.find((s) => s.name === "web");
    assert.equal(
      web?.env.POSTGRES_URL,
      "postgresql://hotrod_dev__db:generated-hotrod-db-password@127.0.0.1:5432/hotrod_dev__db",
    );
    assert.equal(web.env.REDIS_URL, "redis://default:generated-hotrod-redis-password@127.0.0.1:@@port:redis@@/0");
    assert.equal(web.env.ARCHIVE_BUCKET, plan.buckets[0]?.bucket);
    assert.equal(web.env.AWS_ENDPOINT_URL, "https://s3.example.com");
    assert.equal(plan.services.find((s) => s.name === "worker")?.env.AWS_ACCESS_KEY_ID, undefined);
    const { plan: tileshop } = specOf("tileshop");
    assert.equal(
      tileshop.services.find((s) => s.name === "web")?.env.CRAWL4AI_URL,
      "http://127.0.0.1:@@port:crawl4ai@@",
    );
  });

  it("keeps restricted services closed until an address is named, and internal ones always", async () => {
    await deploy({ "clausea:allowFrom": '["203.0.113.7"]' });
    assert.deepEqual(specOf("shopifly").plan.firewall.open, []);
    assert.deepEqual(specOf("clausea").plan.firewall.open, [
      { port: 8010, from: [] },
      { port: 8511, from: ["203.0.113.7/32"] },
    ]);
    assert.deepEqual(specOf("tileshop").plan.firewall.open, [{ port: 8080, from: [] }]);
  });

  it("serves a service with a domain on 80 and 443 in place of its port", async () => {
    await deploy({ "hotrod:domain": "dashboard.example.com" });
    const { plan } = specOf("hotrod");
    const web = plan.services.find((s) => s.name === "web");
    assert.deepEqual([web?.domain, web?.publicPort], ["dashboard.example.com", undefined]);
    assert.deepEqual(
      plan.firewall.open.map((o) => o.port),
      [80, 443],
    );
  });

  it("shows no secret outside of secret inputs", async () => {
    await deploy();
    for (const { name, inputs } of recorded) {
      const visible = JSON.stringify(withoutSecrets(inputs));
      for (const marker of [...secretMarkers, "generated-"]) {
        assert.ok(!visible.includes(marker), `${name} shows ${marker}`);
      }
    }
    // The markers are there at all, so that their absence above says something.
    assert.ok(JSON.stringify(recorded).includes("marker-shopify-token"));
  });

  it("says in a preview what a change is about: code and plain values, secrets by name", async () => {
    await deploy();
    const command = recorded.find((r) => r.type === "command:local:Command" && r.name === "hotrod-vps-main");
    const shown = command?.inputs.environment as Record<string, string>;
    assert.match(shown.HOMEPORT_WEB_CODE ?? "", /^(content [0-9a-f]{16}|commit [0-9a-f]{12})$/);
    assert.equal(shown.HOMEPORT_WEB_ENV_SHOPIFY_SHOP, "dev-hotrod.myshopify.com");
    assert.equal(shown.HOMEPORT_WEB_ENV_SHOPIFY_ACCESS_TOKEN, "[secret]");
    assert.equal(shown.HOMEPORT_WEB_ENV_POSTGRES_URL, "db's url");
    assert.equal(shown.HOMEPORT_WEB_INSTANCES, "2");
    assert.equal(shown.HOMEPORT_JOB_INGEST, "0 2 * * * (UTC): npm run ingest");
  });

  it("gives the same commands again for the same stack", async () => {
    await deploy();
    const first = JSON.stringify(recorded.filter((r) => r.type === "command:local:Command").sort(byName));
    recorded.length = 0;
    await deploy();
    assert.equal(JSON.stringify(recorded.filter((r) => r.type === "command:local:Command").sort(byName)), first);
  });

  it("registers nothing where something is wrong", async () => {
    await assert.rejects(deploy({ "clausea:API_KEY": undefined }), (error) => {
      assert.ok(error instanceof ProblemReport);
      assert.match(error.message, /1 problem\. Nothing was touched\.[^]*pulumi config set --secret clausea:API_KEY/);
      return true;
    });
    await pulumi.runtime.disconnect();
    assert.deepEqual(recorded, []);
  });
});

const byName = (a: Recorded, b: Recorded) => a.name.localeCompare(b.name);

/** How the SDK marks secrets on the wire: https://www.pulumi.com/docs/iac/concepts/secrets/. */
const secretSignature = "4dabf18193072939515e22adb298388d";

function isSecretValue(value: unknown): value is { value: unknown } {
  return typeof value === "object" && value !== null && secretSignature in value;
}

function secretOf(value: unknown): string {
  assert.ok(isSecretValue(value), "It isn't marked as a secret.");
  return String(value.value);
}

function withoutSecrets(value: unknown): unknown {
  if (isSecretValue(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutSecrets(one)]));
}
