import { list, mapOf, oneOf, text, url } from "../../components/parsers";
import { setting, type Settings, type ValuesOf } from "../../components/settings";
import type { RenderConnection } from "./api/connection";

/** https://render.com/docs/regions */
export const regions = ["frankfurt", "ohio", "oregon", "singapore", "virginia"] as const;

/** Plans of services that the API takes, smallest first (https://render.com/pricing). */
export const servicePlans = ["starter", "standard", "pro", "pro_plus", "pro_max", "pro_ultra"] as const;
export const keyValuePlans = ["free", "starter", "standard", "pro", "pro_plus"] as const;
/** The smaller ones of https://render.com/docs/postgresql-refresh. */
export const postgresPlans = [
  ...(["free", "basic_256mb", "basic_1gb", "basic_4gb"] as const),
  ...(["pro_4gb", "pro_8gb", "pro_16gb", "pro_32gb", "pro_64gb", "pro_128gb"] as const),
] as const;
const postgresVersions = ["13", "14", "15", "16", "17", "18"] as const;

/** `render:<key>`. */
export const renderSettings = {
  apiKey: setting(text, {
    about: "An API key: dashboard.render.com, Account settings, API keys.",
    example: "rnd_…",
    secret: true,
  }),
  workspace: setting(text, {
    about: "The workspace, by name or id. Left out: the only one that the key sees.",
    example: "tea-…",
  }),
  region: setting(
    oneOf(...regions),
    { about: "Where apps run. It can't be changed afterwards.", example: "frankfurt" },
    "oregon" as const,
  ),
  names: setting(
    mapOf(text),
    {
      about: "Names on Render, by app and component, where the usual one isn't wanted.",
      example: '{"hotrod-web":"dashboard-remix"}',
    },
    {},
  ),
  adopt: setting(
    list(text),
    {
      about: "What somebody made by hand and the stack is to take over, by app and component.",
      example: '["hotrod-web"]',
    },
    [] as readonly string[],
  ),
  ownBackups: setting(
    list(text),
    {
      about: "Apps whose databases Render alone saves: Postgres to any time of the last days, disks once a day.",
      example: '["hotrod"]',
    },
    [] as readonly string[],
  ),
  repositories: setting(
    mapOf(url("https")),
    {
      about: "Where Render finds an app's code, by app, if this machine reads it elsewhere.",
      example: '{"hotrod":"https://github.com/you/hotrod"}',
    },
    {},
  ),
  plans: setting(
    mapOf(oneOf(...servicePlans)),
    { about: "Plans of services and jobs, by app and component.", example: '{"hotrod-web":"standard"}' },
    {},
  ),
  postgresPlans: setting(
    mapOf(oneOf(...postgresPlans)),
    { about: "Plans of Postgres, by app.", example: '{"hotrod":"basic_1gb"}' },
    {},
  ),
  keyValuePlans: setting(
    mapOf(oneOf(...keyValuePlans)),
    { about: "Plans of Key Value, by app.", example: '{"hotrod":"standard"}' },
    {},
  ),
  postgresVersion: setting(
    oneOf(...postgresVersions),
    { about: "Major version of new Postgres databases. It can't be changed afterwards.", example: "17" },
    "17" as const,
  ),
  apiUrl: setting(
    url("https", "http"),
    { about: "Address of the API.", example: "https://api.render.com" },
    "https://api.render.com",
  ),
} satisfies Settings;

export type RenderSettings = ValuesOf<typeof renderSettings>;

/** Whom to ask, by what right. */
export const connectionOf = ({ apiUrl, apiKey = "", workspace }: RenderSettings): RenderConnection => ({
  apiUrl,
  apiKey,
  ...(workspace === undefined ? {} : { workspace }),
});
