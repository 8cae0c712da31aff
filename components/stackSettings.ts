import { environments } from "./environment";
import { count, list, oneOf, text, url } from "./parsers";
import { setting, type Settings, type ValuesOf } from "./settings";

/** The project's own keys, `homeport:<key>`; Pulumi.yaml tells them to `pulumi config`. */
export const stackSettings = {
  environment: setting(oneOf(...environments), {
    about: "Which column of the dev/live matrix this stack uses.",
    example: "dev",
  }),
  apps: setting(list(text), { about: "The apps this stack deploys.", example: '["catscan"]' }),
  alertWebhook: setting(url("https", "http"), {
    about: "Where alerts are posted as JSON.",
    example: "https://hooks.example.com/…",
    secret: true,
  }),
  pingUrl: setting(url("https", "http"), {
    about: "Base URL that a job calls when it has succeeded, as <url>/<app>-<stack>-<job>.",
    example: "https://hc-ping.com/<ping key>",
    secret: true,
  }),
  releasesKept: setting(count, { about: "Releases kept on a host for a rollback.", example: "5" }, 5),
} satisfies Settings;

/** The S3 service that archives live in where the target has none of its own, `s3:<key>`. */
export const objectStoreSettings = {
  endpoint: setting(url("https", "http"), {
    about: "Address of the S3 service; left out for AWS itself.",
    example: "https://s3.example.com",
  }),
  region: setting(text, { about: "Region of new buckets.", example: "eu-central-1" }, "us-east-1"),
  accessKeyId: setting(text, { about: "Access key that makes buckets and uploads backups.", example: "AKIA…" }),
  secretAccessKey: setting(text, { about: "The access key's secret.", example: "…", secret: true }),
} satisfies Settings;
export type ObjectStore = ValuesOf<typeof objectStoreSettings>;
