import type { Service } from "../../components/declaration";
import type { Reference } from "../../components/environment";
import type { ResolvedEnv } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { madeBucket, type Made } from "../systemd/values";
import { nameOf } from "./names";
import type { RenderSettings } from "./settings";
import { token } from "./tokens";

/** What the program made outside of the plan. */
export type RenderMade = Pick<Made, "buckets">;

/** A part's variables and files as Render keeps them. */
export interface RenderEnv {
  readonly env: Record<string, string>;
  /** Names of the variables that hold secrets. */
  readonly secrets: readonly string[];
  readonly files: Record<string, string>;
}

/** Where Render shows secret files (https://render.com/docs/configure-environment-variables#secret-files). */
const fileFolder = "/etc/secrets";

export function renderEnv(
  app: ResolvedApp,
  settings: RenderSettings,
  made: RenderMade,
  resolved: ResolvedEnv,
): RenderEnv {
  const result: RenderEnv = { env: { ...archiveAccess(app, made, resolved) }, secrets: [], files: {} };
  const secrets = ["AWS_SECRET_ACCESS_KEY"].filter((name) => name in result.env);
  for (const [variable, { value }] of Object.entries(resolved)) {
    if (value.kind === "secretFile") {
      result.files[variable] = value.content;
      result.env[variable] = `${fileFolder}/${variable}`;
    } else {
      const isReference = value.kind === "reference";
      result.env[variable] = isReference ? referenceText(app, settings, made, value.reference) : value.value;
      if (isReference ? value.reference.component in app.externalUrls : value.kind === "secret") secrets.push(variable);
    }
  }
  return { ...result, secrets };
}

/** The text that a reference stands for; a token where only the driver comes to know it. */
function referenceText(app: ResolvedApp, settings: RenderSettings, made: RenderMade, reference: Reference): string {
  const { component, attribute } = reference;
  const { databases, services } = app.declaration;
  const database = databases.find(({ name }) => name === component);
  if (database !== undefined) {
    if (database.engine === "sqlite") return database.file;
    if (database.engine === "external") return app.externalUrls[component] ?? "";
    return token(database.engine === "postgres" ? "postgres" : "keyvalue", component);
  }
  const service = services.find(({ name }) => name === component);
  if (service !== undefined) {
    const internal = `http://${token("host", component)}:${service.port ?? 80}`;
    return attribute === "internalUrl" ? internal : (publicUrl(app, settings, service) ?? internal);
  }
  const { bucket, region, endpoint } = madeBucket(systemdMade(made), component);
  if (attribute === "region") return region;
  if (attribute === "endpoint") return endpoint ?? `https://s3.${region}.amazonaws.com`;
  return bucket;
}

const systemdMade = ({ buckets }: RenderMade): Made => ({ passwords: {}, buckets, servers: {} });

/** A service's address: its own domain, or its name's below onrender.com; undefined for what the world doesn't reach. */
export function publicUrl(app: ResolvedApp, settings: RenderSettings, service: Service): string | undefined {
  if (service.port === undefined || service.access === "internal") return undefined;
  return `https://${app.domains[service.name] ?? `${nameOf(app, settings, service.name)}.onrender.com`}`;
}

/** The standard variables of AWS SDKs, for parts that use a bucket of the app. */
function archiveAccess(app: ResolvedApp, made: RenderMade, resolved: ResolvedEnv): Record<string, string> {
  const names = Object.values(resolved).flatMap(({ value }) =>
    value.kind === "reference" ? [value.reference.component] : [],
  );
  const used = app.declaration.buckets.find((bucket) => names.includes(bucket.name));
  if (used === undefined) return {};
  const { region, endpoint, key } = madeBucket(systemdMade(made), used.name);
  return {
    ...(key === undefined ? {} : { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey }),
    ...{ AWS_REGION: region, AWS_DEFAULT_REGION: region },
    ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL: endpoint }),
  };
}
