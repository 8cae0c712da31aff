import { randomBytes } from "node:crypto";
import { assignAddress } from "./addresses";
import { viewAddOn, viewApp, viewOrganization, viewRelease } from "./graphqlViews";
import type { AddOn, App, Release, Token } from "./state";
import { handlers } from "./operations";
import { requireOrg } from "./tokens";
import { appOf, nextNumber, refuse } from "./world";
import type { World } from "./world";
import type { Roots } from "../platform/graphql";

interface CreateAddOn {
  readonly type: string;
  readonly name?: string;
  readonly appId?: string;
  readonly organizationId?: string;
  readonly primaryRegion?: string;
  readonly planId?: string;
}

/** What a new add-on gives to its app, once. */
async function environmentOf(world: World, type: string, name: string): Promise<Record<string, string>> {
  const { bucket, redis } = world.settings;
  if (type === "tigris")
    return (
      (await bucket?.(name)) ?? {
        BUCKET_NAME: name,
        AWS_ENDPOINT_URL_S3: "https://fly.storage.tigris.dev",
        AWS_ACCESS_KEY_ID: `tid_${randomBytes(9).toString("hex")}`,
        AWS_SECRET_ACCESS_KEY: `tsec_${randomBytes(18).toString("hex")}`,
        AWS_REGION: "auto",
      }
    );
  return {
    REDIS_URL:
      (await redis?.(name)) ?? `redis://default:${randomBytes(16).toString("hex")}@fly-${name}.upstash.io:6379`,
  };
}

async function createAddOn(world: World, token: Token, wanted: CreateAddOn): Promise<AddOn> {
  const { type, appId } = wanted;
  const app = appId === undefined ? undefined : appOf(world, token, appId);
  const organization = world.state.organizations.find(
    (one) => one.id === wanted.organizationId || one.slug === (app?.org ?? ""),
  );
  if (organization === undefined) throw refuse(404, "Could not find Organization");
  requireOrg(world, token, organization.slug);
  if (type === "tigris" && !world.state.agreedProviders.includes("tigris"))
    throw refuse(422, "Please agree to the provider's terms of service first");
  const number = nextNumber(world);
  const name = wanted.name ?? `${type.replaceAll("_", "-")}-${number}`;
  // A bucket's name is the whole world's.
  if (Object.values(world.state.addOns).some((one) => one.name === name && one.provider === type))
    throw refuse(422, "Validation failed: Name has already been taken");
  const environment = await environmentOf(world, type, name);
  const addOn: AddOn = {
    id: `addon_${number.toString(36).padStart(12, "0")}`,
    name,
    provider: type,
    org: organization.slug,
    ...(app === undefined ? {} : { app: app.name }),
    region: wanted.primaryRegion ?? "iad",
    ...(wanted.planId === undefined ? {} : { plan: wanted.planId }),
    publicUrl: environment["REDIS_URL"] ?? "",
    environment,
    createdAt: world.clock.now(),
  };
  world.state.addOns[addOn.id] = addOn;
  world.store.save();
  return addOn;
}

async function setSecrets(
  world: World,
  token: Token,
  app: string,
  values: Record<string, string | null>,
): Promise<unknown> {
  const request = { world, token, values: { app_name: app }, query: new URLSearchParams(), body: { values } };
  await handlers["updateSecrets"]!({ ...request, nonce: undefined });
  return { app: viewApp(world, appOf(world, token, app)), release: null };
}

/** GraphQL's mutations. */
export function mutations(world: World, token: Token): Roots {
  const input =
    <Input>(answer: (input: Input) => unknown) =>
    (args: { input: Input }): unknown =>
      answer(args.input);
  return {
    createAddOn: input(async (wanted: CreateAddOn) => {
      const addOn = await createAddOn(world, token, wanted);
      // The credentials are shown this once.
      const view = viewAddOn(world, addOn);
      world.state.addOns[addOn.id] = { ...addOn, environment: {} };
      world.store.save();
      return { addOn: view };
    }),
    deleteAddOn: input(async ({ name, provider, addOnId }: { name?: string; provider?: string; addOnId?: string }) => {
      const addOn = Object.values(world.state.addOns).find(
        (one) => one.id === addOnId || (one.name === name && (provider === undefined || one.provider === provider)),
      );
      if (addOn === undefined) throw refuse(404, "Could not find AddOn");
      requireOrg(world, token, addOn.org);
      world.state.addOns = Object.fromEntries(Object.entries(world.state.addOns).filter(([id]) => id !== addOn.id));
      world.store.save();
      if (addOn.provider === "tigris") await world.settings.removeBucket?.(addOn.name);
      return { deletedAddOnName: addOn.name };
    }),
    createExtensionTosAgreement: input(({ addOnProviderName }: { addOnProviderName: string }) => {
      if (!world.state.agreedProviders.includes(addOnProviderName)) world.state.agreedProviders.push(addOnProviderName);
      world.store.save();
      return {};
    }),
    createApp: input(async ({ name, organizationId }: { name?: string; organizationId: string }) => {
      const organization = world.state.organizations.find((one) => one.id === organizationId);
      const body = { name: name ?? `app-${nextNumber(world)}`, org_slug: organization?.slug ?? "" };
      await handlers["createApp"]!({ world, token, values: {}, query: new URLSearchParams(), body, nonce: undefined });
      return { app: viewApp(world, world.state.apps[body.name]!) };
    }),
    deleteApp: async ({ appId }: { appId: string }) => {
      const { org } = appOf(world, token, appId);
      const values = { app_name: appId };
      await handlers["deleteApp"]!({
        world,
        token,
        values,
        query: new URLSearchParams(),
        body: undefined,
        nonce: undefined,
      });
      return {
        organization: viewOrganization(
          world,
          world.state.organizations.find((one) => one.slug === org)!,
        ),
      };
    },
    setSecrets: input(({ appId, secrets }: { appId: string; secrets: { key: string; value: string }[] }) =>
      setSecrets(world, token, appId, Object.fromEntries(secrets.map(({ key, value }) => [key, value]))),
    ),
    unsetSecrets: input(({ appId, keys }: { appId: string; keys: string[] }) =>
      setSecrets(world, token, appId, Object.fromEntries(keys.map((key) => [key, null]))),
    ),
    allocateIpAddress: input(({ appId, type, region }: { appId: string; type: string; region?: string }) => {
      const app = appOf(world, token, appId);
      const { id, ip, shared, ...address } = assignAddress(world, app, type, region === "" ? undefined : region);
      return { app: viewApp(world, app), ipAddress: shared ? null : { id, address: ip, ...address } };
    }),
    releaseIpAddress: input(({ appId = "", ip }: { appId?: string; ip?: string }) => {
      const app = appOf(world, token, appId);
      app.addresses = app.addresses.filter((address) => address.ip !== ip);
      world.store.save();
      return { app: viewApp(world, app) };
    }),
    createRelease: input(({ appId, ...wanted }: { appId: string } & NewRelease) => {
      const app = appOf(world, token, appId);
      return { app: viewApp(world, app), release: viewRelease(addRelease(world, app, wanted)) };
    }),
    updateRelease: input(({ releaseId, ...change }: { releaseId: string } & ReleaseChange) => ({
      release: viewRelease(changeRelease(world, token, releaseId, change)),
    })),
  };
}

/** What a deploy says of its release. */
export type NewRelease = Pick<Release, "image" | "strategy" | "definition">;
export interface ReleaseChange {
  readonly status?: string;
  readonly metadata?: unknown;
}

/** Writes down a release of an app. */
export function addRelease(world: World, app: App, { image, strategy, definition }: NewRelease): Release {
  const release = {
    id: `rel_${nextNumber(world).toString(36).padStart(12, "0")}`,
    version: (app.releases[0]?.version ?? 0) + 1,
    createdAt: new Date(world.clock.now()).toISOString(),
    image,
    strategy,
    definition,
    status: "pending",
  };
  app.releases.unshift(release);
  world.store.save();
  return release;
}

/** Says how a release goes, or went. */
export function changeRelease(world: World, token: Token, id: string, { status, metadata }: ReleaseChange): Release {
  const app = Object.values(world.state.apps).find(({ releases }) => releases.some((one) => one.id === id));
  const release = app?.releases.find((one) => one.id === id);
  if (app === undefined || release === undefined) throw refuse(404, "release not found");
  requireOrg(world, token, app.org);
  release.status = status ?? release.status;
  if (metadata !== undefined && metadata !== null) release.metadata = metadata;
  world.store.save();
  return release;
}
