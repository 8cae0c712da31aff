import type { ConfigEntry, StackConfig } from "../../components/settings";

/** A host key of the right form; nothing listens behind it. */
export const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEhkZXYwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw";

const secretValues: Record<string, string> = {
  "s3:secretAccessKey": "marker-s3-secret",
  "shopifly:ANTHROPIC_API_KEY": "marker-shopifly-anthropic",
  "catscan:GMAIL_CREDENTIALS": '{"installed":{"client_secret":"marker-gmail-client"}}',
  "catscan:GMAIL_TOKEN": '{"token":"marker-gmail-token"}',
  "hotrod:SHOPIFY_ACCESS_TOKEN": "marker-shopify-token",
  "hotrod:SHOPIFY_WEBHOOK_SECRET": "marker-shopify-webhook",
  "hotrod:OPENAI_API_KEY": "marker-hotrod-openai",
  "hotrod:UPSTASH_REDIS_REST_TOKEN": "marker-upstash-token",
  "hotrod:ZOHO_CLIENT_ID": "marker-zoho-id",
  "hotrod:ZOHO_CLIENT_SECRET": "marker-zoho-secret",
  "hotrod:ZOHO_REFRESH_TOKEN": "marker-zoho-refresh",
  "tileshop:ANTHROPIC_API_KEY": "marker-tileshop-anthropic",
  "clausea:MONGO_URI":
    "mongodb+srv://user:marker-mongo@cluster0.example.mongodb.net/clausea?retryWrites=true&w=majority",
  "clausea:API_KEY": "marker-clausea-api-key",
  "clausea:OPENAI_API_KEY": "marker-clausea-openai",
  "clausea:ANTHROPIC_API_KEY": "marker-clausea-anthropic",
  "clausea:STREAMLIT_DASHBOARD_PASSWORD": "marker-dashboard-password",
};

const plainValues: Record<string, string> = {
  "homeport:environment": "dev",
  "vps:hosts": JSON.stringify({ main: { address: "192.0.2.10", hostKey } }),
  "s3:endpoint": "https://s3.example.com",
  "s3:accessKeyId": "AKIAEXAMPLE",
  "shopifly:target": "vps",
  "catscan:target": "vps",
  "hotrod:target": "vps",
  "tileshop:target": "vps",
  "clausea:target": "vps",
  "catscan:source": "rehearsal/standins/catscan",
  "shopifly:source": "rehearsal/standins/shopifly",
  "hotrod:source": "rehearsal/standins/hotrod",
  "tileshop:source": "rehearsal/standins/tileshop",
  "clausea:source": "rehearsal/standins/clausea",
  "hotrod:ports": '{"web":8090}',
  "clausea:ports": '{"api":8010,"dashboard":8511}',
  "hotrod:APP_URL": "https://dashboard.example.com",
  "hotrod:UPSTASH_REDIS_REST_URL": "https://upstash.example.com",
  "hotrod:ZOHO_ORG_ID": "600000001",
};

export const secretMarkers = Object.values(secretValues);

/** Configuration with which all five apps can be deployed on one host; `changes` replaces entries, undefined removes. */
export function workingConfig(changes: Record<string, ConfigEntry | string | undefined> = {}): StackConfig {
  const entries = new Map<string, ConfigEntry>();
  for (const [key, value] of Object.entries(plainValues)) entries.set(key, { value, secret: false });
  for (const [key, value] of Object.entries(secretValues)) entries.set(key, { value, secret: true });
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) entries.delete(key);
    else entries.set(key, typeof value === "string" ? { value, secret: entries.get(key)?.secret ?? false } : value);
  }
  return { stack: "dev", entries };
}

/** The same without what it says of other apps, for stacks that declare only these. */
export function forApps({ stack, entries }: StackConfig, apps: readonly { readonly name: string }[]): StackConfig {
  const others = ["shopifly", "catscan", "hotrod", "tileshop", "clausea"].filter(
    (name) => !apps.some((app) => app.name === name),
  );
  return {
    stack,
    entries: new Map([...entries].filter(([key]) => !others.some((name) => key.startsWith(`${name}:`)))),
  };
}
