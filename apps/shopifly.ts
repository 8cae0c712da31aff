import { app, cron, Duration, env, git, python, Size, Volume } from "../components";

export const shopifly = app("shopifly", "Collects and classifies merchants' complaints; a Streamlit dashboard", (a) => {
  const backups = a.bucket("backups");
  const dashboard = a.service("dashboard", {
    source: git("https://github.com/jonassteinberg1/shopifly.git"),
    runtime: python("3.11"),
    // Makes the tables where there are none.
    release: "python main.py stats --storage sqlite",
    command: "streamlit run dashboard/app.py --server.port $PORT --server.address 0.0.0.0 --server.headless true",
    port: 8501,
    access: "restricted",
    health: "/_stcore/health",
    // Whisper's large model needs 6 GiB by itself.
    resources: { cpus: 4, memory: Size.gib(8) },
    volumes: [Volume.at("/data", Size.gib(150))],
    folders: ["/data/interviews/recordings", "/data/interviews/transcripts", "/data/interviews/insights", "/data/logs"],
    logs: { path: "/data/logs", keep: 30 },
    env: {
      ANTHROPIC_API_KEY: env.secret({ about: "Key of the Anthropic API, for classification.", minLength: 8 }),
      ANTHROPIC_MODEL: env.text({ default: "claude-sonnet-4-20250514" }),
      ANTHROPIC_SCREENING_MODEL: env.text({ default: "claude-haiku-3-20240307" }),
      SQLITE_DB_PATH: "/data/shopifly.db",
      LOG_LEVEL: env.oneOf(["DEBUG", "INFO", "WARNING", "ERROR"], { default: "INFO" }),
      LOG_DIR: "/data/logs",
    },
  });
  a.database("db", {
    engine: "sqlite",
    file: "/data/shopifly.db",
    backup: { at: cron("0 2 * * 0"), keep: 4, to: backups },
  });

  a.job("scrape", {
    in: dashboard,
    at: cron("0 6 * * *"),
    timeout: Duration.hours(1),
    // One source that limits us must not keep the others from being read.
    onFailure: "continue",
    command: [
      "python main.py scrape --source reddit --storage sqlite --limit 50",
      "python main.py scrape --source appstore --storage sqlite --limit 30",
      "python main.py scrape --source community --storage sqlite --limit 30",
      "find /data/logs -name 'scraper-*.log' -mtime +30 -delete",
    ],
  });
  a.job("classify", {
    in: dashboard,
    at: cron("0 8 * * *"),
    timeout: Duration.hours(2),
    command: "python main.py classify --storage sqlite --limit 100",
  });
  a.job("transcript-cleanup", {
    in: dashboard,
    at: cron("0 3 1 * *"),
    timeout: Duration.minutes(10),
    command: "find /data/interviews/transcripts -name '*.json' -mtime +90 -delete",
  });
  a.diskReport(cron("0 0 * * 0"));

  const run = (name: string, about: string, command: string) => {
    a.command(name, { in: dashboard, about, command });
  };
  run("stats", "Rows by source and class", "python main.py stats --storage sqlite");
  run("scrape-now", "Scrape besides the schedule: -- --limit 100", "python main.py scrape --storage sqlite");
  run("classify-now", "Classify besides the schedule: -- --limit 50", "python main.py classify --storage sqlite");
  run(
    "import-vtt",
    "Import Zoom's transcript: -- /data/interviews/transcripts/FILE --participant P001",
    "python main.py interview import-vtt",
  );
  run("classify-transcript", "Classify one: -- FILE -p P001", "python main.py interview classify-transcript");
  run(
    "transcribe",
    "Transcribe with Whisper, openai-whisper among the requirements: -- /data/interviews/recordings/FILE -p P001 --model medium",
    "python main.py interview process-recording",
  );
  run("interview-stats", "Interviews and their insights", "python main.py interview stats");
  run("opportunities", "Ranked opportunities", "python main.py interview opportunities");
  run("report", "Export a report: -- --format weekly", "python scripts/export_interview_report.py");
  run("optimize-db", "Compact the database and renew its statistics", 'sqlite3 "$SQLITE_DB_PATH" "VACUUM; ANALYZE;"');

  a.checklist(
    { when: "after a deploy", what: "A scrape works.", command: "homeport run shopifly scrape" },
    { when: "after a deploy", what: "A classification works.", command: "homeport run shopifly classify" },
    {
      when: "after a deploy",
      what: "The dashboard opens from an allowed address.",
      command: "homeport status shopifly",
    },
    {
      when: "after a deploy",
      what: "A transcript of Zoom's gets there (recordings: /data/interviews/recordings),",
      command: "homeport copy shopifly dashboard P001.vtt /data/interviews/transcripts",
    },
    {
      when: "after a deploy",
      what: "and in.",
      command: "homeport run shopifly import-vtt -- /data/interviews/transcripts/P001.vtt --participant P001",
    },
    { when: "weekly", what: "The disk has room.", command: "homeport status shopifly" },
    { when: "weekly", what: "The scrape's log shows no errors.", command: "homeport logs shopifly scrape" },
    { when: "weekly", what: "The classification's log shows no errors.", command: "homeport logs shopifly classify" },
    { when: "weekly", what: "The backup ran.", command: "homeport status shopifly" },
    { when: "weekly", what: "The API's cost is as expected, in Anthropic's console." },
    { when: "weekly", what: "New code is deployed if there is some.", command: "pulumi preview" },
  );
});
