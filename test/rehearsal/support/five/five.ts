import type { Marker } from "../secrets";
import type { Call, World } from "../world";

/** The five apps on one host, which the tests of stack.test.ts share, in their order. */
export interface Five {
  readonly world: World;
  /** The `up` that made all of it. */
  readonly first: Call;
  /** Every command line of this machine and of the host during that `up`. */
  readonly commandLines: readonly string[];
  /** How often they were looked at. */
  readonly looks: number;
  /** The secrets given to the stack, and those that it made. */
  readonly secrets: readonly Marker[];
}

/** The apps' addresses on the shared host, and the path of each service's health check. */
export const services = [
  { app: "shopifly", service: "dashboard", port: 8501, health: "/_stcore/health" },
  { app: "catscan", service: "api", port: 8000, health: "/health" },
  { app: "hotrod", service: "web", port: 8090, health: "/health" },
  { app: "tileshop", service: "web", port: 8080, health: "/health" },
  { app: "clausea", service: "api", port: 8010, health: "/health" },
  { app: "clausea", service: "dashboard", port: 8511, health: "/_stcore/health" },
] as const;

export const ids = ["shopifly-prod", "catscan-prod", "hotrod-prod", "tileshop-prod", "clausea-prod"] as const;

/** What the runbooks schedule, and the documented backups; by unit, in UTC. */
export const schedules: Readonly<Record<string, string>> = {
  "shopifly-prod-job-scrape": "0 6 * * *",
  "shopifly-prod-job-classify": "0 8 * * *",
  "shopifly-prod-job-transcript-cleanup": "0 3 1 * *",
  "shopifly-prod-backup-db": "0 2 * * 0",
  "shopifly-prod-disk-report": "0 0 * * 0",
  "catscan-prod-job-gmail-import": "0 8 * * *",
  "catscan-prod-job-cleanup": "0 2 * * 0",
  "catscan-prod-backup-db": "0 3 * * *",
  "hotrod-prod-job-ingest": "0 2 * * *",
  "hotrod-prod-job-export-embeddings": "0 3 * * 0",
  "hotrod-prod-backup-db": "0 4 * * *",
  "tileshop-prod-job-scrape": "0 1 * * *",
  "tileshop-prod-backup-db": "0 3 * * *",
};

/** Asks every service's health from this machine; what isn't 200, told. */
export async function unhealthy(world: World, ask: (url: string) => Promise<number | string>): Promise<string[]> {
  const answers = await Promise.all(
    services.map(async ({ app, service, port, health }) => {
      const answer = await ask(world.url(port, health));
      return answer === 200 ? [] : [`${app} ${service}: ${answer}`];
    }),
  );
  return answers.flat();
}
