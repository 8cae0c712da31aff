import { app, env, fromStack, python, Size } from "../components";

export const clausea = app("clausea", "Crawls companies' terms: an API, and an admin dashboard", (a) => {
  const mongo = a.database("mongo", {
    engine: "external",
    variable: "MONGO_URI",
    schemes: ["mongodb+srv", "mongodb"],
    about:
      "Connection string of MongoDB Atlas, with the database in its path; the cluster must let the host's address in.",
  });
  const redis = a.database("redis", { engine: "redis" });

  const code = {
    source: fromStack({ directory: "apps/backend" }),
    runtime: python("3.11", { dependencies: "uv.lock" }),
  };
  const variables = {
    MONGO_URI: mongo.url,
    MONGODB_DATABASE: env.text({ default: "clausea" }),
    REDIS_URL: env.url({ schemes: ["redis", "rediss"], secret: true, default: redis.url }),
    API_KEY: env.secret({ about: "Key that callers of the API present.", minLength: 16 }),
    CORS_ORIGINS: env.text({
      default: { dev: "http://localhost:3000", live: "https://www.clausea.co,https://clausea.co" },
      about: "Origins of the frontend, separated by commas.",
    }),
    OPENAI_API_KEY: env.secret({ about: "Key of the OpenAI API." }),
    ANTHROPIC_API_KEY: env.secret({ about: "Key of the Anthropic API." }),
    CRAWLER_PROXY: env.url({
      required: "never",
      secret: true,
      about: "Proxy of the crawler; without it, the host's address shows.",
    }),
  };
  const api = a.service("api", {
    ...code,
    command: "uv run uvicorn main:app --host 0.0.0.0 --port $PORT",
    port: 8000,
    health: "/health",
    resources: { memory: Size.mib(512) },
    env: variables,
  });
  // An admin's tool: it may be closed, slow or down without a visitor noticing.
  const dashboard = a.service("dashboard", {
    ...code,
    command:
      "uv run streamlit run src/dashboard/app.py --server.port=$PORT --server.address=0.0.0.0 --server.headless=true",
    port: 8501,
    access: "restricted",
    ownLogin: true,
    health: "/_stcore/health",
    resources: { memory: Size.gib(1) },
    env: {
      ...variables,
      STREAMLIT_DASHBOARD_PASSWORD: env.secret({ about: "Password of the dashboard.", minLength: 12 }),
      STREAMLIT_SERVER_HEADLESS: "true",
    },
  });
  a.domain(api);
  a.domain(dashboard, "dashboardDomain");

  a.command("crawl", {
    in: dashboard,
    about: "One crawl, as the dashboard starts it",
    command: "uv run python -m src.crawling",
  });
  a.command("test-connection", {
    in: api,
    about: "Connect to MongoDB and count",
    command: "uv run python -m src.dashboard.test_connection",
  });

  a.checklist(
    {
      when: "before the first deploy",
      what: "Atlas has a cluster, a user, and the host's address on its access list.",
    },
    { when: "before the first deploy", what: "DNS points to the host, where domains are used." },
    { when: "before the first deploy", what: "Atlas backs the database up." },
    {
      when: "before the first deploy",
      what: "Somebody hears of failures: homeport:alertWebhook is set, or the platform's own alerts on Railway and Render.",
    },
    { when: "after a deploy", what: "MongoDB answers.", command: "homeport run clausea test-connection" },
    {
      when: "after a deploy",
      what: "A crawl works and shows the server's address.",
      command: "homeport run clausea crawl",
    },
    { when: "after a deploy", what: "The dashboard asks for its password." },
    { when: "after a deploy", what: "The logs are quiet.", command: "homeport logs clausea" },
  );
});
