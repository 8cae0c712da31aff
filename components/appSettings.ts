import { parseSource } from "../drivers/source";
import type { AppDeclaration } from "./declaration";
import { cidr, count, hostName, list, mapOf, oneOf, port, text } from "./parsers";
import { setting, type Settings, type ValuesOf } from "./settings";
import { Size } from "./values/size";

const sharedSettings = {
  target: setting(text, { about: "Where the app runs.", example: "vps" }),
  host: setting(text, { about: "Which of the target's hosts it runs on, by name.", example: "main" }),
  source: setting(parseSource, {
    about: "Code to deploy in place of the declared source: a folder, a tarball, or a git URL with #ref.",
    example: "../my-app",
  }),
  allowFrom: setting(
    list(cidr),
    { about: "Addresses that may reach services with restricted access.", example: '["203.0.113.7/32"]' },
    [] as readonly string[],
  ),
  onDelete: setting(
    oneOf("keep data", "delete data"),
    { about: "What `pulumi destroy` does with data folders, databases and backups.", example: "keep data" },
    "keep data" as const,
  ),
  ports: setting(mapOf(port), { about: "Public port of a service, by name.", example: '{"web":8081}' }, {}),
  instances: setting(mapOf(count), { about: "Instances of a service, by name.", example: '{"web":2}' }, {}),
  memory: setting(
    mapOf(Size.parse.bind(Size)),
    { about: "Memory of a service, by name.", example: '{"web":"1 GiB"}' },
    {},
  ),
  buckets: setting(
    mapOf(text),
    { about: "Existing buckets to use, by the archive's name.", example: '{"archive":"my-archive"}' },
    {},
  ),
  accessKeyId: setting(text, {
    about: "Access key of the app's own for its archives. Left out, it shares the stack's `s3:accessKeyId`.",
    example: "AKIA…",
  }),
  secretAccessKey: setting(text, { about: "The access key's secret.", example: "…", secret: true }),
} satisfies Settings;

export type AppSettings = ValuesOf<typeof sharedSettings>;

/** The keys `<app>:<key>` that every app has, besides the variables of its contract and its domains. */
export const appSettings = sharedSettings;

/** The settings of an app's own domains, `<app>:domain`. */
export function domainSettings(declaration: AppDeclaration): Settings {
  return Object.fromEntries(
    declaration.domains.map((domain) => [
      domain.variable,
      setting(hostName, {
        about: `Host name of ${declaration.name}'s ${domain.service.name}.`,
        example: `${domain.service.name}.example.com`,
      }),
    ]),
  );
}
