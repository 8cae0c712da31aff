import { list, mapOf, oneOf, port, shape, text, upTo, url } from "../../components/parsers";
import { setting, type Settings, type ValuesOf } from "../../components/settings";
import { Duration } from "../../components/values/duration";
import type { FlyConnection } from "./api/connection";

/** Plans of Managed Postgres (fly.io/docs/mpg). */
export const postgresPlans = ["basic", "starter", "launch", "scale", "performance"] as const;

/** Codes are an airport's three letters; which there are is Fly's to say (fly.io/docs/reference/regions). */
function region(value: string): string {
  if (/^[a-z]{3}$/.test(value)) return value;
  throw new RangeError(
    `"${value}" isn't the code of a region, three letters such as fra; fly platform regions lists them.`,
  );
}

/** `fly:<key>`. */
export const flySettings = {
  apiToken: setting(text, {
    about: "Token of the organization: fly tokens create org.",
    example: "FlyV1 …",
    secret: true,
  }),
  org: setting(text, { about: "The organization's slug, as fly orgs list shows it.", example: "personal" }, "personal"),
  region: setting(region, { about: "Where apps run, a code of fly platform regions.", example: "fra" }),
  regions: setting(mapOf(region), { about: "Other regions, by app.", example: '{"hotrod":"dfw"}' }, {}),
  names: setting(
    mapOf(text),
    { about: "Names on Fly, by app, where the usual one is another customer's.", example: '{"hotrod":"hotrodan"}' },
    {},
  ),
  dedicatedIpv4: setting(
    list(text),
    { about: "Apps that get an IPv4 address of their own, which is billed.", example: '["hotrod"]' },
    [] as readonly string[],
  ),
  postgresPlans: setting(
    mapOf(oneOf(...postgresPlans)),
    { about: `Size of Managed Postgres, by app: ${postgresPlans.join(", ")}.`, example: '{"hotrod":"starter"}' },
    {},
  ),
  postgresRegions: setting(
    mapOf(text),
    { about: "Regions of Managed Postgres, by app, where an app's own region has none.", example: '{"hotrod":"ord"}' },
    {},
  ),
  postgresClusters: setting(
    mapOf(text),
    {
      about: "Clusters to use instead of an app's own, by app and database: one that a backup was restored into.",
      example: '{"hotrod-db":"hotrod-prod-db-r202607310400"}',
    },
    {},
  ),
  strategies: setting(
    mapOf(oneOf("blue-green", "rolling")),
    {
      about: "How new versions come, by app: beside the old ones, or in their place.",
      example: '{"hotrod":"rolling"}',
    },
    {},
  ),
  releaseTimeouts: setting(
    mapOf(Duration.parse.bind(Duration)),
    { about: "How long a release command may take, by app; 5 minutes.", example: '{"hotrod":"1 h"}' },
    {},
  ),
  concurrency: setting(
    mapOf(shape({ type: oneOf("connections", "requests"), soft: upTo(100_000), hard: upTo(100_000) })),
    {
      about:
        "How much one machine takes at a time, by service: beyond `soft` others are asked first, beyond `hard` none is sent (200 and 250 connections).",
      example: '{"hotrod.web":{"soft":400,"hard":500}}',
    },
    {},
  ),
  metrics: setting(
    mapOf(shape({ port, path: text })),
    {
      about: "Where Fly's Prometheus reads a service's own metrics, by service: its port, and a path if not /metrics.",
      example: '{"hotrod.web":{"port":9091}}',
    },
    {},
  ),
  objectStore: setting(
    oneOf("s3", "tigris"),
    { about: "Where apps' buckets are: at S3 with the stack's key, or at Tigris, which Fly sells.", example: "tigris" },
    "s3",
  ),
  redisImage: setting(
    text,
    { about: "Image of Redis.", example: "docker.io/library/redis:7.4" },
    "docker.io/library/redis:7.4",
  ),
  schedulerImage: setting(
    text,
    { about: "Image with Node.js that the scheduler runs on.", example: "docker.io/library/node:20-slim" },
    "docker.io/library/node:20-slim",
  ),
  postgresImage: setting(
    text,
    {
      about: "Image with Postgres's programs, that makes and proves backups.",
      example: "docker.io/pgvector/pgvector:pg17",
    },
    "docker.io/pgvector/pgvector:pg17",
  ),
  propagation: setting(
    Duration.parse.bind(Duration),
    { about: "Time that Fly's proxies take to learn of a machine that comes or goes.", example: "10s" },
    Duration.seconds(10),
  ),
  machinesUrl: setting(
    url("https", "http"),
    { about: "Address of the Machines API.", example: "https://api.machines.dev" },
    "https://api.machines.dev",
  ),
  apiUrl: setting(
    url("https", "http"),
    { about: "Address of Fly's other API.", example: "https://api.fly.io" },
    "https://api.fly.io",
  ),
} satisfies Settings;

export type FlySettings = ValuesOf<typeof flySettings>;

/** Whom to ask, by what right. */
export const connectionOf = ({ machinesUrl, apiUrl, org, apiToken = "" }: FlySettings): FlyConnection => ({
  machinesUrl,
  apiUrl,
  org,
  token: apiToken,
});
