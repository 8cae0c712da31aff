import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { S3, Host } from "../../rehearsal/site";
import type { HostPlan } from "../../targets/systemd/plan";
import { earlyFiles, sharedFiles } from "../../targets/systemd/render/earlyFiles";
import { lateFiles } from "../../targets/systemd/render/lateFiles";
import { proxyText } from "../../targets/systemd/render/proxy";
import { rootFile, type InstalledFile } from "../../targets/systemd/render/stageFile";
import { toolsFolder } from "../unit/tools/desk";

/** The app of these tests as it stands in a plan: a service in two slots, a SQLite and a Postgres database. */
export function shopPlan(webhook: string, s3: S3, bucket: string): HostPlan {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  const backup = { onCalendar: ["*-*-* 02:00:00 UTC"], keep: 2, bucket: "archive" };
  return {
    ...{ app: "shop", stack: "prod", id: "shop-prod", user: "shop-prod" },
    services: [
      {
        ...{ name: "api", code: { image: "none" }, listens: true, health: "/health", domain: "shop.example.test" },
        ...{ startTimeoutSeconds: 30, drainSeconds: 30, instances: 1, sticky: false, memoryMib: 256, cpus: 1 },
        volumes: [{ path: "/data", sizeMib: 64 }],
        ...{ folders: [], checks: [], env: {}, secretFiles: [] },
      },
    ],
    ...{ jobs: [], commands: [] },
    databases: [
      { name: "db", engine: "sqlite", path: "/data/shop.db", service: "api", backup },
      { name: "pg", engine: "postgres", database: "shop_prod", password: "p", extensions: ["vector"], backup },
    ],
    buckets: [{ name: "archive", bucket, region, endpoint, key: { accessKeyId, secretAccessKey } }],
    ...{
      alertWebhook: webhook,
      diskAlarm: 0.8,
      diskReport: [],
      releasesKept: 3,
      owner: "vps/tools",
      onDelete: "keep data",
    },
    firewall: { manage: false, sshFrom: [], open: [] },
    acme: { email: "me@example.test", directory: "https://localhost:14000/dir" },
  };
}

const ports: Readonly<Record<string, number>> = { api: 18100, "api/a/1": 18101, "api/b/1": 18102 };

/** Health, a table that it writes to without a pause, and WebSockets that stay open until their client goes. */
const app = `
import base64, hashlib, os, sqlite3, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
def write():
    db = sqlite3.connect("/var/lib/shop-prod/data/shop.db", timeout=30, isolation_level=None)
    db.execute("PRAGMA journal_mode = wal")
    for table in ("a", "b"): db.execute(f"CREATE TABLE IF NOT EXISTS {table} (n INTEGER)")
    while True:
        if os.path.exists("/var/lib/shop-prod/data/quiet"): time.sleep(0.05); continue
        for statement in ("BEGIN IMMEDIATE", "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)", "COMMIT"): db.execute(statement)
class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers.get("Upgrade") == "websocket":
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"),
                                ("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())):
                self.send_header(name, value)
            self.end_headers()
            while self.rfile.read(1): pass
            return
        sick = os.path.exists("/var/lib/shop-prod/data/sick") or self.headers.get("Host") != "shop.example.test"
        self.send_response(500 if sick else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
if os.environ["SLOT"] == "a": threading.Thread(target=write, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
`;

const appUnit = (slot: "a" | "b"): string => `[Unit]
StartLimitBurst=1
OnFailure=homeport-alert@%n.service
[Service]
User=shop-prod
Environment=SLOT=${slot} PORT=${ports[`api/${slot}/1`] ?? 0}
ExecStart=/usr/bin/python3 /opt/app.py
`;

const failing = `[Unit]
OnFailure=homeport-alert@%n.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "it broke here"; exit 3'
`;

/** The proxy's part with slot a serving. */
const proxyPart = (plan: HostPlan): string =>
  (proxyText(plan) ?? "").replace("@@disabled:api/a@@", "").replace("@@disabled:api/b@@", "disabled");

function filesOf(plan: HostPlan): InstalledFile[] {
  const slots = (["a", "b"] as const).flatMap((slot) => [
    rootFile(`/etc/systemd/system/shop-prod-api-${slot}@.service`, 0o644, appUnit(slot)),
    rootFile(`/etc/homeport/shop-prod/ports/api-${slot}-1`, 0o600, `PORT=${ports[`api/${slot}/1`] ?? 0}\n`),
  ]);
  const watch = `health api ${ports["api"] ?? 0} /health shop.example.test\n`;
  return [
    ...[...sharedFiles(plan), ...earlyFiles(plan), ...lateFiles(plan), ...slots],
    ...readdirSync(toolsFolder).map((name) =>
      rootFile(`/usr/local/lib/homeport/${name}`, 0o755, readFileSync(join(toolsFolder, name), "utf8")),
    ),
    rootFile("/etc/homeport/proxy/shop-prod.cfg", 0o600, proxyPart(plan)),
    rootFile("/etc/homeport/proxy/domains.map", 0o600, "shop.example.test shop-prod-api\n"),
    rootFile("/etc/homeport/proxy/domains/shop-prod", 0o600, "shop.example.test\n"),
    rootFile("/etc/homeport/shop-prod/state", 0o600, "api a 3fa2 hash 1700000000\n"),
    rootFile("/etc/homeport/shop-prod/watch", 0o600, `${watch}disk 99 /\ndatabase db sqlite\ndatabase pg postgres\n`),
    rootFile("/etc/systemd/system/shop-prod-job-broken.service", 0o644, failing),
    rootFile("/opt/app.py", 0o644, app),
  ];
}

/** Runs a command on a host; throws with what it said where it fails. */
export async function must(host: Host, command: string, input?: string | Buffer): Promise<string> {
  const { code, stdout, stderr } = await host.exec(command, input === undefined ? {} : { input });
  assert.equal(code, 0, `${command.slice(0, 200)}\n${stdout}\n${stderr}`);
  return stdout.trim();
}

/** Puts the app on a host by the files that the renderer makes, as a deploy does but without one. */
export async function install(host: Host, plan: HostPlan): Promise<void> {
  await must(
    host,
    `export DEBIAN_FRONTEND=noninteractive
     command -v jq socat certbot >/dev/null && [ -x /usr/bin/socat ] && [ -x /usr/bin/certbot ] && [ -x /usr/bin/jq ] ||
       { apt-get -q update && apt-get -q install -y --no-install-recommends jq socat certbot; }
     useradd --system --user-group --home-dir /var/lib/shop-prod shop-prod
     install -d -o shop-prod -g shop-prod -m 750 /var/lib/shop-prod /var/lib/shop-prod/data`,
  );
  const script = filesOf(plan).map(({ path, mode, owner, group, content }) => {
    const text = content.replace(/@@port:([^@]+)@@/g, (_, key: string) => String(ports[key] ?? 0));
    const encoded = Buffer.from(text).toString("base64");
    return `install -D -m ${mode.toString(8)} -o ${owner} -g ${group} <(base64 -d <<<'${encoded}') '${path}'\n`;
  });
  await must(host, "umask 077; cat >/tmp/install.sh && bash -e /tmp/install.sh", script.join(""));
  await must(
    host,
    `chmod 755 /opt /etc/systemd/system && /usr/local/lib/homeport/certs --fallback && systemctl daemon-reload &&
     systemctl start postgresql homeport-proxy shop-prod-api-a@1.service
     until (cd / && runuser -u postgres -- psql -qc 'SELECT 1') >/dev/null 2>&1; do sleep 0.2; done`,
  );
  await must(
    host,
    `cd / && runuser -u postgres -- psql -q -v ON_ERROR_STOP=1`,
    `CREATE ROLE shop_prod LOGIN PASSWORD 'p';\nCREATE DATABASE shop_prod OWNER shop_prod;\n\\c shop_prod\nCREATE EXTENSION vector;`,
  );
}
