import type { HostPlan, PlannedRelease, PlannedService } from "../../../../targets/systemd/plan";

/** Every secret of the rich plan holds this, so that a test can look for it in what may not. */
export const mark = "S3CRET";

/** A copy that lacks some properties, which with `exactOptionalPropertyTypes` is not the same as undefined ones. */
export function without<T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> {
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => !(keys as readonly string[]).includes(key)),
  ) as Omit<T, K>;
}

const release = (releaseId: string, runtime: PlannedRelease["runtime"], build?: string): PlannedRelease => ({
  releaseId,
  source: { kind: "folder", path: "../shop" },
  fingerprint: { id: "00112233445566aa", describe: "folder ../shop (42 files, 120 kB)" },
  runtime,
  ...(build === undefined ? {} : { build }),
});

/** What a service is that says nothing. */
export const plainService: PlannedService = {
  name: "web",
  code: release("3fa29c01d2e4b586", { language: "python", version: "3.11" }),
  command: "gunicorn app:app --bind 0.0.0.0:$PORT",
  listens: true,
  publicPort: 8000,
  health: "/health",
  startTimeoutSeconds: 60,
  drainSeconds: 30,
  instances: 1,
  sticky: false,
  memoryMib: 512,
  cpus: 1,
  volumes: [],
  folders: [],
  checks: [],
  env: {},
  secretFiles: [],
};

const web: PlannedService = {
  ...plainService,
  release: "uv run alembic upgrade head",
  domain: "Shop.example.com",
  startTimeoutSeconds: 90,
  drainSeconds: 45,
  instances: 2,
  sticky: true,
  memoryMib: 1024,
  cpus: 1.5,
  volumes: [
    { path: "/data", sizeMib: 30720 },
    { path: "/app/storage", sizeMib: 51200 },
  ],
  folders: ["/data/uploads"],
  logs: { path: "/data/logs", keep: 30 },
  checks: [{ path: "/api/products?limit=1", everySeconds: 120 }],
  env: {
    DATABASE_URL: `postgresql://shop:${mark}-db@127.0.0.1:5432/shop`,
    REDIS_URL: `redis://default:${mark}-redis@127.0.0.1:@@port:cache@@/0`,
    API_URL: "http://127.0.0.1:@@port:api@@",
    GREETING: ' "quoted" $HOME `id` \\n 100% of\n two lines ',
    API_KEY: `${mark}-key`,
  },
  secretFiles: [
    { variable: "SERVICE_ACCOUNT", content: `{"private_key":"${mark}-account\\n"}\n`, rewritten: false },
    { variable: "GMAIL_TOKEN", content: `{"refresh_token":"${mark}-token"}`, rewritten: true },
  ],
};

const unreachable = without(plainService, "publicPort", "health");

const worker: PlannedService = {
  ...unreachable,
  name: "worker",
  code: release("77aa0c01d2e4b586", { language: "node", version: "20" }, "npm run build"),
  command: `node worker.js --tag 'it'"'"'s 100%' --home "$HOME"`,
  listens: false,
  volumes: [{ path: "/data", sizeMib: 30720 }],
  env: { QUEUE: `redis://:${mark}-queue@127.0.0.1:@@port:cache@@/1` },
};

const imageOnly = without(unreachable, "command");

const browser: PlannedService = {
  ...imageOnly,
  name: "browser",
  code: { image: "docker.io/unclecode/crawl4ai:0.7.4" },
  containerPort: 11235,
  health: "/health",
  memoryMib: 2048,
  volumes: [{ path: "/cache", sizeMib: 1024 }],
  env: { CRAWL4AI_API_TOKEN: `${mark}-crawl`, PORT: "1" },
  secretFiles: [{ variable: "LICENCE", content: `${mark}-licence`, rewritten: false }],
};

const api: PlannedService = { ...plainService, name: "api", publicPort: 8100, env: { DEBUG: "" } };

/** One app with a thing of each kind. */
export const richPlan: HostPlan = {
  app: "shop",
  stack: "prod",
  id: "shop-prod",
  user: "shop-prod",
  services: [web, api, worker, browser],
  jobs: [
    {
      name: "scrape",
      service: "web",
      onCalendar: ["*-*-* 06:00:00 Europe/Berlin", "Sun *-*-* 12:30:00 Europe/Berlin"],
      commands: [
        "python -m scrape --all",
        "python -m report > /data/report.txt && echo $HOME 100%",
        "find /data -mtime +30",
      ],
      onFailure: "continue",
      timeoutSeconds: 3600,
      env: { MODE: "batch", API_KEY: `${mark}-job` },
    },
    {
      name: "ingest",
      service: "worker",
      onCalendar: ["*-*-* 02:00:00 UTC"],
      commands: ["node ingest.js", "node index.js"],
      onFailure: "stop",
      timeoutSeconds: 1800,
      env: {},
    },
    {
      name: "warm",
      service: "browser",
      onCalendar: ["*:0/15"],
      commands: ["curl -fsS http://browser:11235/health"],
      onFailure: "stop",
      timeoutSeconds: 60,
      env: {},
    },
  ],
  commands: [
    { name: "transcribe", service: "web", command: "python -m transcribe --model 'base'" },
    { name: "browse", service: "browser", command: "crawl" },
  ],
  databases: [
    {
      name: "db",
      engine: "postgres",
      database: "shop_prod_db",
      password: `${mark}-db`,
      extensions: ["vector"],
      backup: { onCalendar: ["*-*-* 03:00:00 UTC"], keep: 7, bucket: "archive" },
    },
    { name: "cache", engine: "redis", password: `${mark}-"redis"\\`, memoryMib: 256 },
    {
      name: "catalogue",
      engine: "sqlite",
      path: "/data/db/shop.sqlite",
      service: "web",
      backup: { onCalendar: ["Sun *-*-* 04:00:00 UTC"], keep: 4 },
    },
  ],
  buckets: [
    {
      name: "archive",
      bucket: "shop-prod-archive",
      region: "eu-central-1",
      endpoint: "https://s3.example.com",
      key: { accessKeyId: `${mark}-key-id`, secretAccessKey: `${mark}-key` },
    },
  ],
  alertWebhook: `https://hooks.example.com/${mark}-alert`,
  pingUrl: `https://hc.example.com/${mark}-ping`,
  diskAlarm: 0.8,
  diskReport: ["Sun *-*-* 00:00:00 UTC"],
  firewall: {
    manage: true,
    sshFrom: ["192.0.2.0/24", "2001:db8::/32"],
    open: [
      { port: 80, from: [] },
      { port: 443, from: [] },
      { port: 8100, from: ["198.51.100.7", "2001:db8:1::/48"] },
    ],
  },
  acme: { email: "ops@example.com", directory: "https://acme.example.com/directory" },
  releasesKept: 5,
  owner: "vps/main",
  onDelete: "keep data",
};

/** The same app on a machine of a cloud: a disk for data, CloudWatch, a database server elsewhere, the machine's own identity. */
export const cloudPlan: HostPlan = {
  ...richPlan,
  databases: richPlan.databases.map((database) =>
    database.engine === "postgres"
      ? { ...database, server: { address: "shop.example.rds.amazonaws.com", port: 5432, user: "shop_prod", tls: true } }
      : database,
  ),
  buckets: richPlan.buckets.map((bucket) => without(bucket, "key", "endpoint")),
  dataDisk: { serial: "vol0123456789abcdef0" },
  rootGib: 24,
  monitoring: {
    region: "eu-central-1",
    namespace: "Homeport/prod",
    dimensions: { InstanceId: "i-0123456789abcdef0" },
    logGroup: "/homeport/prod/shop",
    topic: { arn: "arn:aws:sns:eu-central-1:123456789012:homeport-prod-alarms", region: "eu-central-1" },
  },
};
