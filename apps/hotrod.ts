import { app, cron, Duration, env, fromStack, node, Size, Volume } from "../components";

export const hotrod = app("hotrod", "A Shopify dashboard on Remix, with a queue worker and embeddings", (a) => {
  const backups = a.bucket("backups");
  const db = a.database("db", {
    engine: "postgres",
    size: Size.gib(10),
    backup: { at: cron("0 4 * * *"), keep: 7, to: backups },
  });
  const redis = a.database("redis", { engine: "redis" });

  const code = {
    source: fromStack(),
    runtime: node("20"),
    build: "npm run build",
  };
  const variables = {
    SHOPIFY_SHOP: env.text({
      default: { dev: "dev-hotrod.myshopify.com", live: "hotrod-performance.myshopify.com" },
      pattern: /^[a-z0-9-]+\.myshopify\.com$/,
      about: "The store. Development and live installs stay apart.",
    }),
    SHOPIFY_ACCESS_TOKEN: env.secret({ about: "Token of this environment's store, with the least scopes." }),
    SHOPIFY_WEBHOOK_SECRET: env.secret({ about: "Secret that this environment's webhooks are signed with." }),
    SHOPIFY_API_VERSION: env.text({ default: "2024-10", pattern: /^\d{4}-\d{2}$/ }),
    OPENAI_API_KEY: env.secret({ about: "A key of this environment's own OpenAI project: throttled in dev." }),
    POSTGRES_URL: env.url({ schemes: ["postgresql", "postgres"], secret: true, default: db.url }),
    DATABASE_URL: env.url({ schemes: ["postgresql", "postgres"], secret: true, default: db.url }),
    REDIS_URL: env.url({ schemes: ["redis", "rediss"], secret: true, default: redis.url }),
    WEBHOOK_QUEUE_DRIVER: env.oneOf(["memory", "bullmq"], { default: { dev: "memory", live: "bullmq" } }),
    UPSTASH_REDIS_URL: env.url({
      schemes: ["rediss", "redis"],
      secret: true,
      default: redis.url,
      about: "The queue that web and worker share; a managed one in live, if it isn't this app's.",
    }),
    UPSTASH_REDIS_REST_URL: env.url({ required: "live", about: "REST address of the queue, for diagnostics." }),
    UPSTASH_REDIS_REST_TOKEN: env.secret({ required: "live", about: "Token of the queue's REST address." }),
    ZOHO_CLIENT_ID: env.secret({ about: "Sandbox organization in dev, production's in live." }),
    ZOHO_CLIENT_SECRET: env.secret({ about: "Sandbox organization in dev, production's in live." }),
    ZOHO_REFRESH_TOKEN: env.secret({ about: "Sandbox organization in dev, production's in live." }),
    ZOHO_ORG_ID: env.text({ about: "Sandbox organization in dev, production's in live.", example: "600000001" }),
    SHOPIFY_BOT_SIGNATURE: env.secret({ required: "never", about: "Signature of Shopify's crawler bot." }),
    SHOPIFY_BOT_SIGNATURE_INPUT: env.secret({ required: "never", about: "The signature's input." }),
    SHOPIFY_BOT_SIGNATURE_AGENT: env.url({ required: "never", about: "The signature's agent, of this environment." }),
    LOG_FORMAT: env.oneOf(["json", "text"], { default: "json" }),
  };
  const chroma = "/data/chroma";
  const web = a.service("web", {
    ...code,
    release: "npm run prisma:migrate",
    command: "npm run start",
    port: 8080,
    health: "/health",
    instances: 2,
    sticky: true,
    resources: { cpus: 2, memory: Size.mib(512) },
    volumes: [Volume.at(chroma, Size.gib(10))],
    env: {
      ...variables,
      APP_URL: env.url({ about: "The address that Shopify redirects to; also `application_url` in shopify.app.toml." }),
      CHROMA_PATH: chroma,
      PERSIST_DIR: chroma,
      ARCHIVE_BUCKET: backups.bucketName,
    },
  });
  a.service("worker", { ...code, command: "npm run worker", resources: { memory: Size.mib(512) }, env: variables });
  a.domain(web);

  a.job("ingest", { in: web, at: cron("0 2 * * *"), timeout: Duration.hours(2), command: "npm run ingest" });
  a.job("export-embeddings", {
    in: web,
    at: cron("0 3 * * 0"),
    timeout: Duration.hours(1),
    command: "npm run export-embeddings",
  });
  a.command("rebuild-chroma", { in: web, about: "Fill a lost Chroma volume again", command: "npm run ingest" });

  a.checklist(
    {
      when: "before the first deploy",
      what: "`application_url` in shopify.app.toml equals APP_URL.",
      command: "shopify app deploy",
    },
    { when: "after a deploy", what: "The smoke steps of prompts/dashboard/testing.md pass." },
    { when: "after a deploy", what: "A replayed webhook is processed.", command: "homeport logs hotrod worker" },
    { when: "after a deploy", what: "The start is healthy in the logs.", command: "homeport logs hotrod web" },
    {
      when: "after a deploy",
      what: "The domain answers with Strict-Transport-Security.",
      command: "curl -sI https://dashboard.hotrodan.com/health",
    },
    {
      when: "after a deploy",
      what: "A probe from outside asks for /health, and tells PagerDuty.",
    },
    {
      when: "after a deploy",
      what: "Logs are drained (Datadog, Better Stack or Vector); CPU above 70 %, swap, 5xx, database connections and failing webhooks alert.",
    },
    { when: "after a deploy", what: "The release ticket has the deploy's id, the smoke run and the logs." },
    {
      when: "weekly",
      what: "The embeddings export and the database's backup are in the bucket.",
      command: "homeport status hotrod",
    },
  );
});
