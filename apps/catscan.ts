import { app, cron, Duration, env, fromStack, python, Size, Volume } from "../components";

export const catscan = app("catscan", "Imports reports from Gmail, archives them, and serves their analysis", (a) => {
  const archive = a.bucket("archive", { coldAfter: Duration.days(30) });
  const api = a.service("api", {
    source: fromStack(),
    runtime: python("3.11"),
    command: "uvicorn api.main:app --host 0.0.0.0 --port $PORT",
    port: 8000,
    health: "/health",
    checks: [{ path: "/gmail/status", every: Duration.days(1) }],
    // A t3.micro has 1 GiB and two cores that share credits.
    resources: { cpus: 2, memory: Size.mib(768) },
    volumes: [Volume.at("/data", Size.gib(30))],
    folders: ["/data/imports", "/data/recovery", "/data/logs"],
    logs: { path: "/data/logs" },
    env: {
      CATSCAN_DB_PATH: "/data/catscan.db",
      CATSCAN_IMPORT_DIR: "/data/imports",
      LOG_DIR: "/data/logs",
      GMAIL_CREDENTIALS: env.secretFile({ about: "gmail-oauth-client.json of the Google Cloud project." }),
      GMAIL_TOKEN: env.secretFile({
        about: "gmail-token.json; `homeport run catscan gmail-login` makes one where there is none.",
        required: "never",
        rewritten: true,
      }),
      GOOGLE_APPLICATION_CREDENTIALS: env.secretFile({
        about: "Key of the service account, if used.",
        required: "never",
      }),
      ARCHIVE_BUCKET: archive.bucketName,
      ARCHIVE_REGION: archive.region,
      ARCHIVE_COMPRESS: env.oneOf(["true", "false"], { default: "true" }),
      ARCHIVE_ENABLED: env.oneOf(["true", "false"], { default: "true" }),
      RETENTION_DAYS: env.number({ default: 90, min: 1, about: "Days that rows stay in the database." }),
    },
  });
  a.database("db", { engine: "sqlite", file: "/data/catscan.db", backup: { at: cron("0 3 * * *"), to: archive } });
  a.domain(api);

  a.job("gmail-import", {
    in: api,
    at: cron("0 8 * * *"),
    timeout: Duration.minutes(30),
    command: "python scripts/gmail_import.py",
  });
  a.job("cleanup", {
    in: api,
    at: cron("0 2 * * 0"),
    timeout: Duration.hours(1),
    command: "python scripts/cleanup_old_data.py",
  });
  a.diskAlarm(0.8);

  a.command("cleanup-preview", {
    in: api,
    about: "Count the rows that the next cleanup deletes",
    command: "python scripts/cleanup_old_data.py --dry-run",
  });
  a.command("gmail-login", {
    in: api,
    about: "Sign in to Gmail: prints a URL, asks for the code, keeps the token",
    command: "python scripts/gmail_import.py",
    interactive: true,
  });
  a.command("recover", {
    in: api,
    about: "Import reports again, all that were fetched or: -- /data/recovery/FILE.csv …",
    // The importer takes files alone, and a month of them may be too many for one command line.
    command:
      `sh -c 'find "\${@:-/data/recovery}" -type f -name "*.csv" -print0 | sort -z | ` +
      `xargs -0 python -m qps.smart_importer' recover`,
  });

  a.checklist(
    {
      when: "before the first deploy",
      what: "The OAuth client's file is in the stack.",
      command: "pulumi config set --secret catscan:GMAIL_CREDENTIALS < gmail-oauth-client.json",
    },
    { when: "after a deploy", what: "Gmail is signed in.", command: "homeport run catscan gmail-login" },
    { when: "after a deploy", what: "An import archives and imports.", command: "homeport run catscan gmail-import" },
    { when: "after a deploy", what: "The imports are listed at /uploads/history and /gmail/status." },
    {
      when: "after a deploy",
      what: "Reports come back from the archive, for other days with --from 2025-06-01 --to 2025-06-30,",
      command: "homeport fetch catscan --prefix performance/ --from 7d --into api:/data/recovery",
    },
    { when: "after a deploy", what: "and into the database;", command: "homeport run catscan recover" },
    {
      when: "after a deploy",
      what: "then they make room again.",
      command: "homeport exec catscan api -- rm -r /data/recovery/performance",
    },
    { when: "weekly", what: "The disk has room and the backup ran.", command: "homeport status catscan" },
    { when: "weekly", what: "The provider's cost is as expected." },
  );
});
