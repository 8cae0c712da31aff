import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { checkDeclaration } from "../../../components/check/declaration";
import { environments, valueFor } from "../../../components/environment";
import type { VariableSource } from "../../../components/variables";

/** What the five runbooks say, in one place: an app that drifts from its runbook fails here. */
const runbooks = {
  shopifly: {
    services: { dashboard: { port: 8501, health: "/_stcore/health", instances: 1, volumes: ["/data 150 GiB"] } },
    jobs: { scrape: "0 6 * * *", classify: "0 8 * * *", "transcript-cleanup": "0 3 1 * *" },
    databases: { db: "sqlite, backup 0 2 * * 0, keep 4, to backups" },
    commands: [
      "stats",
      "scrape-now",
      "classify-now",
      "import-vtt",
      "classify-transcript",
      "transcribe",
      "interview-stats",
      "opportunities",
      "report",
      "optimize-db",
    ],
    variables: [
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_MODEL",
      "ANTHROPIC_SCREENING_MODEL",
      "LOG_DIR",
      "LOG_LEVEL",
      "SQLITE_DB_PATH",
    ],
  },
  catscan: {
    services: { api: { port: 8000, health: "/health", instances: 1, volumes: ["/data 30 GiB"] } },
    jobs: { "gmail-import": "0 8 * * *", cleanup: "0 2 * * 0" },
    databases: { db: "sqlite, backup 0 3 * * *, keep 7, to archive" },
    commands: ["cleanup-preview", "gmail-login", "recover"],
    variables: [
      "ARCHIVE_BUCKET",
      "ARCHIVE_COMPRESS",
      "ARCHIVE_ENABLED",
      "ARCHIVE_REGION",
      "CATSCAN_DB_PATH",
      "CATSCAN_IMPORT_DIR",
      "GMAIL_CREDENTIALS",
      "GMAIL_TOKEN",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "LOG_DIR",
      "RETENTION_DAYS",
    ],
  },
  hotrod: {
    services: {
      web: { port: 8080, health: "/health", instances: 2, volumes: ["/data/chroma 10 GiB"] },
      worker: { port: undefined, health: undefined, instances: 1, volumes: [] },
    },
    jobs: { ingest: "0 2 * * *", "export-embeddings": "0 3 * * 0" },
    databases: { db: "postgres, backup 0 4 * * *, keep 7, to backups", redis: "redis" },
    commands: ["rebuild-chroma"],
    variables: [
      "APP_URL",
      "ARCHIVE_BUCKET",
      "CHROMA_PATH",
      "DATABASE_URL",
      "LOG_FORMAT",
      "OPENAI_API_KEY",
      "PERSIST_DIR",
      "POSTGRES_URL",
      "REDIS_URL",
      "SHOPIFY_ACCESS_TOKEN",
      "SHOPIFY_API_VERSION",
      "SHOPIFY_BOT_SIGNATURE",
      "SHOPIFY_BOT_SIGNATURE_AGENT",
      "SHOPIFY_BOT_SIGNATURE_INPUT",
      "SHOPIFY_SHOP",
      "SHOPIFY_WEBHOOK_SECRET",
      "UPSTASH_REDIS_REST_TOKEN",
      "UPSTASH_REDIS_REST_URL",
      "UPSTASH_REDIS_URL",
      "WEBHOOK_QUEUE_DRIVER",
      "ZOHO_CLIENT_ID",
      "ZOHO_CLIENT_SECRET",
      "ZOHO_ORG_ID",
      "ZOHO_REFRESH_TOKEN",
    ],
  },
  tileshop: {
    services: {
      crawl4ai: { port: 11235, health: "/health", instances: 1, volumes: [] },
      web: { port: 8080, health: "/health", instances: { min: 1, max: 3 }, volumes: ["/app/storage 50 GiB"] },
    },
    jobs: { scrape: "0 1 * * *" },
    databases: { db: "postgres with vector, backup 0 3 * * *, keep 7, to backups" },
    commands: ["scrape-urls", "migrate"],
    variables: ["ANTHROPIC_API_KEY", "CRAWL4AI_URL", "DATABASE_URL", "LOG_LEVEL", "STORAGE_DIR"],
  },
  clausea: {
    services: {
      api: { port: 8000, health: "/health", instances: 1, volumes: [] },
      dashboard: { port: 8501, health: "/_stcore/health", instances: 1, volumes: [] },
    },
    jobs: {},
    databases: { mongo: "external", redis: "redis" },
    commands: ["crawl", "test-connection"],
    variables: [
      "ANTHROPIC_API_KEY",
      "API_KEY",
      "CORS_ORIGINS",
      "CRAWLER_PROXY",
      "MONGODB_DATABASE",
      "MONGO_URI",
      "OPENAI_API_KEY",
      "REDIS_URL",
      "STREAMLIT_DASHBOARD_PASSWORD",
      "STREAMLIT_SERVER_HEADLESS",
    ],
  },
};

describe("the five apps", () => {
  for (const app of apps) {
    it(`${app.name} has no mistake in either environment`, () => {
      for (const environment of environments) assert.deepEqual(checkDeclaration(app.declare(environment)), []);
    });
  }

  for (const [name, runbook] of Object.entries(runbooks)) {
    const app = apps.find((one) => one.name === name);
    if (app === undefined) {
      it(`${name} is declared`, () => assert.fail(`apps/index.ts has no ${name}`));
      continue;
    }
    const declared = app.declare("live");

    it(`${app.name} has its runbook's services, jobs, databases, commands and variables`, () => {
      const services = declared.services.map((s) => {
        const volumes = (s.volumes ?? []).map((v) => `${v.path} ${v.size.toString()}`);
        return [s.name, { port: s.port, health: s.health, instances: s.instances ?? 1, volumes }];
      });
      const databases = declared.databases.map((d) => {
        const extensions = d.engine === "postgres" ? (d.extensions ?? []).map((e) => ` with ${e}`) : [];
        const backup = "backup" in d ? d.backup : undefined;
        const kept =
          backup === undefined
            ? ""
            : `, backup ${backup.at.expression}, keep ${backup.keep ?? 7}, to ${backup.to?.name ?? ""}`;
        return [d.name, d.engine + extensions.join("") + kept];
      });
      const variables = new Set(declared.services.flatMap((s) => Object.keys(s.env ?? {})));
      assert.deepEqual(
        {
          services: Object.fromEntries(services) as unknown,
          jobs: Object.fromEntries(declared.jobs.map((j) => [j.name, j.at.expression])) as unknown,
          databases: Object.fromEntries(databases) as unknown,
          commands: declared.commands.map((c) => c.name),
          variables: [...variables].sort(),
        },
        runbook,
      );
      assert.ok(declared.jobs.every((job) => job.at.timeZone === "UTC"));
      assert.ok(declared.checklist.length > 0);
    });
  }

  it("hotrod has both columns of its matrix", () => {
    const web = apps
      .find((app) => app.name === "hotrod")
      ?.declare("live")
      .services.find((s) => s.name === "web");
    const column = (name: string) => {
      const variable = web?.env?.[name] as Exclude<VariableSource, string>;
      assert.ok("kind" in variable && variable.kind !== "secretFile" && variable.kind !== "secret");
      return environments.map((e) => valueFor<string | number>(variable.default as never, e));
    };
    assert.deepEqual(column("SHOPIFY_SHOP"), ["dev-hotrod.myshopify.com", "hotrod-performance.myshopify.com"]);
    assert.deepEqual(column("WEBHOOK_QUEUE_DRIVER"), ["memory", "bullmq"]);
    assert.deepEqual(column("SHOPIFY_API_VERSION"), ["2024-10", "2024-10"]);
  });

  it("catscan's archive is cold after 30 days and never expires", () => {
    const archive = apps.find((app) => app.name === "catscan")?.declare("live").buckets[0];
    assert.equal(archive?.coldAfter?.toDays(), 30);
    assert.equal(archive.expireAfter, undefined);
  });

  it("shopifly reads three sources, whatever becomes of one of them", () => {
    const scrape = apps.find((app) => app.name === "shopifly")?.declare("live").jobs[0];
    const sources = [scrape?.command ?? []]
      .flat()
      .flatMap((c) => /--source (\w+) .*--limit (\d+)/.exec(c)?.slice(1) ?? []);
    assert.deepEqual(sources, ["reddit", "50", "appstore", "30", "community", "30"]);
    assert.equal(scrape?.onFailure, "continue");
  });
});
