import { imageParts } from "./images";
import { statusOf } from "./apps";
import type { AddOn, App, Organization, Release } from "./state";
import { machinesOf } from "./world";
import type { World } from "./world";

/** A list in GraphQL's connection form, in one page. */
export function connection(nodes: readonly unknown[]): Record<string, unknown> {
  return {
    nodes,
    edges: nodes.map((node) => ({ cursor: "", node })),
    pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    totalCount: nodes.length,
  };
}

export function viewOrganization(world: World, organization: Organization): Record<string, unknown> {
  const { id, slug, name, number } = organization;
  return {
    id,
    internalNumericId: String(number),
    slug,
    rawSlug: slug,
    name,
    type: slug === "personal" ? "PERSONAL" : "SHARED",
    paidPlan: true,
    billable: true,
    viewerRole: "admin",
    agreedToProviderTos: ({ providerName }: { providerName: string }) =>
      world.state.agreedProviders.includes(providerName),
    apps: () =>
      connection(
        Object.values(world.state.apps)
          .filter((app) => app.org === slug)
          .map((app) => viewApp(world, app)),
      ),
  };
}

export function viewRelease(release: Release): Record<string, unknown> {
  const { id, version, status, createdAt, image, strategy, definition, metadata } = release;
  return {
    id,
    version,
    status,
    createdAt,
    updatedAt: createdAt,
    imageRef: image,
    deploymentStrategy: strategy.toUpperCase(),
    stable: status === "complete",
    inProgress: status === "running" || status === "pending",
    configDefinition: definition,
    metadata,
    reason: "deploy",
    description: "Release",
    user: { id: "user_rehearsal", email: "rehearsal@example.com", name: "Rehearsal" },
  };
}

export function viewAddOn(world: World, addOn: AddOn): Record<string, unknown> {
  const organization = world.state.organizations.find((one) => one.slug === addOn.org)!;
  const app = addOn.app === undefined ? undefined : world.state.apps[addOn.app];
  return {
    id: addOn.id,
    name: addOn.name,
    environment: addOn.environment,
    errorMessage: null,
    primaryRegion: addOn.region,
    publicUrl: addOn.publicUrl,
    status: "ready",
    createdAt: new Date(addOn.createdAt).toISOString(),
    ssoLink: null,
    options: {},
    metadata: {},
    readRegions: [],
    organization: () => viewOrganization(world, organization),
    app: () => (app === undefined ? null : viewApp(world, app)),
    addOnProvider: () => viewProvider(addOn.provider),
  };
}

export function viewProvider(name: string): Record<string, unknown> {
  return {
    id: `provider_${name}`,
    name,
    displayName: name,
    asyncProvisioning: false,
    autoProvision: false,
    beta: false,
    detectPlatform: false,
    internal: false,
    selectName: true,
    selectRegion: name !== "tigris",
    selectReplicaRegions: false,
    resourceName: name,
    excludedRegions: [],
    regions: [],
    tosAgreement: "",
  };
}

function viewCertificate(hostname: string, createdAt: string, activeAt: number, now: number): Record<string, unknown> {
  return {
    id: `cert_${hostname}`,
    hostname,
    createdAt,
    configured: now >= activeAt,
    clientStatus: "Ready",
    source: "fly",
  };
}

/** An app as GraphQL shows it. */
export function viewApp(world: World, app: App): Record<string, unknown> {
  const organization = world.state.organizations.find((one) => one.slug === app.org)!;
  const [current] = app.releases;
  const status = statusOf(world, app);
  const certificates = Object.values(app.certificates).map(({ hostname, createdAt, activeAt }) =>
    viewCertificate(hostname, createdAt, activeAt, world.clock.now()),
  );
  const addresses = app.addresses.filter((address) => !address.shared);
  return {
    id: app.name,
    internalNumericId: app.number,
    name: app.name,
    hostname: `${app.name}.fly.dev`,
    cnameTarget: `${app.id.slice(-8)}.fly.dev`,
    appUrl: app.addresses.length > 0 ? `https://${app.name}.fly.dev` : null,
    deployed: status !== "pending",
    network: app.network === "default" ? null : app.network,
    status,
    platformVersion: "machines",
    version: current?.version ?? 0,
    createdAt: new Date(app.createdAt).toISOString(),
    organization: () => viewOrganization(world, organization),
    role: null,
    currentRelease: current === undefined ? null : viewRelease(current),
    currentReleaseUnprocessed: current === undefined ? null : viewRelease(current),
    releases: () => connection(app.releases.map(viewRelease)),
    releasesUnprocessed: ({ first }: { first?: number }) =>
      connection(app.releases.slice(0, first ?? app.releases.length).map(viewRelease)),
    ipAddresses: () =>
      connection(
        addresses.map(({ id, ip, type, region, createdAt }) => ({
          id,
          address: ip,
          type,
          region,
          createdAt,
          network: null,
        })),
      ),
    egressIpAddresses: () => connection([]),
    sharedIpAddress: app.addresses.find((address) => address.shared)?.ip ?? null,
    secrets: Object.entries(app.secrets).map(([name, { digest, createdAt }]) => ({
      id: `secret_${name}`,
      name,
      digest,
      createdAt,
    })),
    certificates: () => connection(certificates),
    certificate: ({ hostname }: { hostname: string }) =>
      certificates.find((one) => one["hostname"] === hostname) ?? null,
    machines: () =>
      connection(
        machinesOf(world, app.name).map(({ id, name, region, state, instanceId, createdAt, updatedAt }) => ({
          id,
          name,
          region,
          state,
          instanceId,
          createdAt: new Date(createdAt).toISOString(),
          updatedAt: new Date(updatedAt).toISOString(),
        })),
      ),
    volumes: () => connection([]),
    image: async ({ ref }: { ref: string }) => {
      const digest = await world.runtime.resolve(ref);
      if (digest === undefined) return null;
      const { repository, tag } = imageParts(ref);
      return {
        id: `img_${digest.slice(7, 23)}`,
        digest,
        ref,
        repository,
        tag,
        compressedSize: 0,
        compressedSizeFull: "0",
      };
    },
  };
}
