import { app, cron, Duration, env, fromStack, python, Size, Volume } from "../components";

export const tileshop = app("tileshop", "Product search over scraped tiles: Flask, live updates, vectors", (a) => {
  const backups = a.bucket("backups");
  const db = a.database("db", {
    engine: "postgres",
    extensions: ["vector"],
    size: Size.gib(10),
    backup: { at: cron("0 3 * * *"), keep: 7, to: backups },
  });
  const crawler = a.service("crawl4ai", {
    image: "docker.io/unclecode/crawl4ai:0.7.4",
    port: 11235,
    access: "internal",
    health: "/health",
    startTimeout: Duration.minutes(3),
    resources: { cpus: 1, memory: Size.gib(2) },
  });

  const code = { source: fromStack(), runtime: python("3.11") };
  const storage = { path: "/app/storage", size: Size.gib(50) };
  const variables = {
    DATABASE_URL: env.url({ schemes: ["postgresql", "postgres"], secret: true, default: db.url }),
    ANTHROPIC_API_KEY: env.secret({ about: "Key of the Anthropic API, for answers from the catalogue." }),
    CRAWL4AI_URL: crawler.internalUrl,
    STORAGE_DIR: storage.path,
    LOG_LEVEL: env.oneOf(["DEBUG", "INFO", "WARNING", "ERROR"], { default: { dev: "DEBUG", live: "INFO" } }),
  };
  const web = a.service("web", {
    ...code,
    release: "python migrate.py",
    command: "gunicorn -c gunicorn.conf.py reboot_dashboard:app",
    port: 8080,
    health: "/health",
    instances: { min: 1, max: 3 },
    // Socket.IO's first requests must meet one instance.
    sticky: true,
    drain: Duration.minutes(1),
    resources: { cpus: 2, memory: Size.gib(4) },
    volumes: [Volume.at(storage.path, storage.size)],
    folders: ["/app/storage/logs", "/app/storage/pages"],
    logs: { path: "/app/storage/logs" },
    env: variables,
  });
  a.domain(web);

  a.job("scrape", {
    in: web,
    at: cron("0 1 * * *"),
    timeout: Duration.hours(6),
    command: "python curl_scraper.py",
  });
  a.command("scrape-urls", { in: web, about: "Scrape some pages: -- URL …", command: "python curl_scraper.py" });
  a.command("migrate", { in: web, about: "Bring the schema up to date", command: "python migrate.py" });

  a.checklist(
    { when: "before the first deploy", what: "The owner has allowed the deployment." },
    {
      when: "before the first deploy",
      what: "The data of the old database is at hand as a pg_dump file.",
      command: "homeport restore tileshop db FILE",
    },
    { when: "after a deploy", what: "The dashboard loads in less than 3 s, the API in less than 2 s." },
    {
      when: "after a deploy",
      what: "Updates arrive over the WebSocket while a scrape runs.",
      command: "homeport run tileshop scrape",
    },
    { when: "after a deploy", what: "A backup restores.", command: "homeport restore tileshop db latest" },
    { when: "after a deploy", what: "A rollback works.", command: "homeport rollback tileshop" },
    { when: "after a deploy", what: "Data quality is monitored by itself, and what is wrong alerts." },
    {
      when: "after a deploy",
      what: "Health alerts arrive: stop a machine, wait for five minutes, start it again.",
      command: "pulumi config set --secret homeport:alertWebhook",
    },
    {
      when: "weekly",
      what: "The data's quality and the backups are as expected.",
      command: "homeport status tileshop",
    },
  );
});
