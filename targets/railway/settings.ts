import { list, mapOf, oneOf, port, text, url } from "../../components/parsers";
import { setting, type Settings, type ValuesOf } from "../../components/settings";

/** Regions of Railway's buckets (railway bucket create --help). */
export const bucketRegions = ["sjc", "iad", "ams", "sin"] as const;

/** `railway:<key>`. */
export const railwaySettings = {
  apiToken: setting(text, {
    about: "Token of an account or of a workspace: railway.com/account/tokens.",
    example: "00000000-0000-0000-0000-000000000000",
    secret: true,
  }),
  projectToken: setting(text, {
    about: "Token of one environment of a project that is there already: its settings, Tokens.",
    example: "00000000-0000-0000-0000-000000000000",
    secret: true,
  }),
  workspace: setting(text, {
    about: "Name or id of the workspace, where the token knows several.",
    example: "Acme",
  }),
  projects: setting(
    mapOf(text),
    { about: "Names or ids of projects, by app, where they aren't the app's name.", example: '{"clausea":"legal"}' },
    {},
  ),
  environment: setting(text, {
    about: "Name of the stack's environment in each project, where it isn't the stack's name.",
    example: "production",
  }),
  repositories: setting(
    mapOf(text),
    {
      about: "Repositories at GitHub that Railway builds, by app, where the source is another address of theirs.",
      example: '{"clausea":"acme/clausea"}',
    },
    {},
  ),
  region: setting(text, {
    about: "Where services run; left out, it is the workspace's own choice.",
    example: "europe-west4-drams3a",
  }),
  restartPolicy: setting(
    oneOf("on failure", "always"),
    { about: "Whether a service that ended without an error starts again.", example: "always" },
    "on failure" as const,
  ),
  tcpProxies: setting(
    mapOf(port),
    {
      about: "Ports that the world reaches by TCP, by app and component.",
      example: '{"clausea.redis":6379}',
    },
    {},
  ),
  archives: setting(
    oneOf("s3", "railway"),
    { about: "Where archives are made: at the stack's S3 service, or as Railway's own buckets.", example: "railway" },
    "s3" as const,
  ),
  bucketRegion: setting(
    oneOf(...bucketRegions),
    { about: `Region of Railway's own buckets, which never changes: ${bucketRegions.join(", ")}.`, example: "ams" },
    "iad" as const,
  ),
  redisImage: setting(
    text,
    { about: "Image of Redis.", example: "docker.io/library/redis:7.4" },
    "docker.io/library/redis:7.4",
  ),
  postgresImage: setting(
    text,
    { about: "Image of Postgres.", example: "docker.io/library/postgres:17" },
    "docker.io/library/postgres:17",
  ),
  vectorImage: setting(
    text,
    {
      about: "Image of Postgres with pgvector, for databases that ask for it.",
      example: "docker.io/pgvector/pgvector:pg17",
    },
    "docker.io/pgvector/pgvector:pg17",
  ),
  ownBackups: setting(
    list(text),
    {
      about: "Apps whose data Railway alone saves, by snapshots of their volumes; nothing is uploaded.",
      example: '["hotrod"]',
    },
    [] as readonly string[],
  ),
  adopt: setting(
    list(text),
    { about: "Apps whose services in Railway were made by hand and are taken over.", example: '["clausea"]' },
    [] as readonly string[],
  ),
  url: setting(
    url("https", "http"),
    { about: "Address of Railway's API.", example: "https://backboard.railway.com/graphql/v2" },
    "https://backboard.railway.com/graphql/v2",
  ),
} satisfies Settings;

export type RailwaySettings = ValuesOf<typeof railwaySettings>;
