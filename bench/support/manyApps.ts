import { app, cron, env, folder, node, Size, Volume, type App } from "../../components";
import type { ConfigEntry, StackConfig } from "../../components/settings";

/** A host key of the right form; nothing listens behind it. */
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEhkZXYwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw";

/** Apps of the usual shape: a web service with a volume, a worker, a job, a database, and variables of each kind. */
export function manyApps(count: number): App[] {
  return Array.from({ length: count }, (_, index) =>
    app(`app${index}`, "One of many", (a) => {
      const db = a.database("db", { engine: "postgres" });
      const code = { source: folder("rehearsal/standins/crawl4ai"), runtime: node("20") };
      const variables = {
        DATABASE_URL: db.url,
        API_KEY: env.secret(),
        LEVEL: env.oneOf(["INFO", "DEBUG"], { default: "INFO" }),
      };
      const web = a.service("web", {
        ...code,
        command: "node server.js",
        port: 1024 + index,
        health: "/health",
        volumes: [Volume.at("/data", Size.gib(1))],
        env: variables,
      });
      a.service("worker", { ...code, command: "node worker.js", env: variables });
      a.job("nightly", { in: web, at: cron("0 3 * * *"), command: "node nightly.js" });
    }),
  );
}

/** The configuration that puts them all on one host. */
export function manyAppsConfig(count: number): StackConfig {
  const entries = new Map<string, ConfigEntry>([
    ["homeport:environment", { value: "dev", secret: false }],
    ["vps:hosts", { value: JSON.stringify({ main: { address: "192.0.2.10", hostKey } }), secret: false }],
  ]);
  for (let index = 0; index < count; index++) {
    entries.set(`app${index}:target`, { value: "vps", secret: false });
    entries.set(`app${index}:API_KEY`, { value: `key-${index}`, secret: true });
  }
  return { stack: "bench", entries };
}
