import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { apps } from "../../apps";
import { app, cron, Duration, env, fromStack, node, Size, Volume, type App } from "../../components";
import { deployStack } from "../../components/deploy";
import { targets } from "../../targets";
import type { Capabilities } from "../../targets/target";
import { forApps } from "../support/config";
import { mockAws } from "../support/awsMocks";
import { promiseOf } from "../support/mocks";
import { configOn, parityOf, tableOf } from "../support/parity";

const project = resolve(__dirname, "../..");
const readme = join(project, "README.md");
const [begin, end] = ["<!-- parity -->\n", "\n<!-- /parity -->"];

/**
 * An app with one of everything that a target says it has. It takes clausea's name, whose stand-in is its code: what is
 * declared here is what counts.
 */
const everything = ({
  cron: { timeZones },
  volumes,
  restrictedAccess,
  databases,
  buckets,
  domains,
}: Capabilities): App =>
  app("clausea", "One of everything", (a) => {
    const extensions = databases.postgres?.extensions;
    const archive = buckets ? a.bucket("archive", { coldAfter: Duration.days(30) }) : undefined;
    const db = a.database("db", {
      engine: "postgres",
      size: Size.gib(10),
      ...(extensions === "any" || extensions?.includes("vector") === true ? { extensions: ["vector"] } : {}),
      backup: { at: cron("0 4 * * *"), keep: 7 },
    });
    const redis = a.database("redis", { engine: "redis", size: Size.mib(128) });
    const code = { source: fromStack({ directory: "apps/backend" }), runtime: node("20") };
    const helper = a.service("helper", {
      image: "docker.io/acme/helper:1",
      port: 9000,
      access: "internal",
      health: "/helper-health",
    });
    const web = a.service("web", {
      ...code,
      release: "marker-release",
      command: "marker-web --port $PORT",
      port: 8080,
      health: "/marker-health",
      instances: 2,
      drain: Duration.seconds(45),
      startTimeout: Duration.seconds(90),
      resources: { cpus: 1, memory: Size.mib(512) },
      env: {
        DATABASE_URL: db.url,
        REDIS_URL: redis.url,
        HELPER: helper.internalUrl,
        ...(archive === undefined ? {} : { ARCHIVE: archive.bucketName }),
        KEY: env.secret(),
        LEVEL: env.oneOf(["DEBUG", "INFO"], { default: { dev: "DEBUG", live: "INFO" } }),
      },
    });
    const store = a.service("store", {
      ...code,
      command: "marker-store",
      instances: volumes.withInstances ? 2 : 1,
      volumes: [Volume.at("/marker-volume", Size.gib(5))],
    });
    if (restrictedAccess) {
      a.service("desk", { ...code, command: "marker-desk", port: 8090, access: "restricted", health: "/desk" });
    }
    if (domains) a.domain(web);
    a.job("digest", {
      in: web,
      at: cron("30 2 * * *", timeZones !== "UTC" ? { timeZone: "Asia/Kolkata" } : {}),
      timeout: Duration.minutes(20),
      command: ["marker-one", "marker-two"],
      env: { WORD: "marker-word" },
    });
    a.command("tidy", { in: store, about: "Tidies up", command: "marker-tidy" });
  });

describe("every target", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-parity-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("takes the apps that README says, and refuses the others for the reasons that it says", async function () {
    this.timeout(60_000);
    const table = tableOf(await parityOf(apps, targets, folder));
    const text = readFileSync(readme, "utf8");
    const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
    assert.ok(from >= begin.length && to >= from - 1, "README has lost the marks of its table");
    if (process.env["UPDATE_GOLDEN"] === "1") {
      writeFileSync(readme, `${text.slice(0, from)}\n${table}\n${text.slice(to)}`);
    }
    const shown = readFileSync(readme, "utf8");
    assert.equal(shown.slice(from, shown.indexOf(end)).trim(), table);
  });

  for (const { name, capabilities } of targets) {
    it(`${name} gets every part of a declaration`, async function () {
      this.timeout(60_000);
      const one = everything(capabilities);
      const domain = capabilities.domains ? { "clausea:domain": "shop.example.com" } : {};
      const config = configOn(name, "clausea", folder, {
        ...Object.fromEntries(
          ["MONGO_URI", "API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "STREAMLIT_DASHBOARD_PASSWORD"].map((key) => [
            `clausea:${key}`,
            undefined,
          ]),
        ),
        "clausea:KEY": { value: "marker-key", secret: true },
        ...domain,
      });
      const mocks = await mockAws({ stack: "dev" });
      const outputs = await deployStack({ apps: [one], targets, config: forApps(config, [one]), cwd: project });
      for (const output of Object.values(outputs)) await promiseOf(output);
      await pulumi.runtime.disconnect();
      const registered = JSON.stringify(mocks.recorded);
      const parts = ["release", "web --port", "health", "store", "volume", "one", "two", "word", "key"];
      for (const part of parts) assert.ok(registered.includes(`marker-${part}`), `nothing says marker-${part}`);
      assert.ok(registered.includes("acme/helper:1"), "the helper's image isn't asked for");
      if (capabilities.domains) assert.ok(registered.includes("shop.example.com"), "the domain isn't asked for");
      if (capabilities.restrictedAccess) assert.ok(registered.includes("marker-desk"));
      const parents = mocks.recorded.filter(({ type }) => type.startsWith("homeport:index:"));
      const expected = capabilities.restrictedAccess ? 9 : 8;
      assert.equal(parents.length, expected + (capabilities.buckets ? 0 : -1), parents.map((p) => p.name).join(" "));
    });
  }
});
