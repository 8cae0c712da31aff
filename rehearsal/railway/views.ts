import { regions } from "./checking";
import { configOf, etagOf } from "./config";
import { isBuilding } from "./deploying";
import { domainsOf, ownSuffix } from "./domains";
import type {
  Bucket,
  Deployment,
  DomainRecord,
  Environment,
  Instance,
  Patch,
  Project,
  Service,
  TcpProxy,
  Token,
  Volume,
  VolumeInstance,
  Workspace,
} from "./state";
import { deploymentsOf, newId, refuse } from "./world";
import type { World } from "./world";

/** An object as GraphQL shows it: a field that leads on to others is a function, called when it is asked for. */
export type View = Readonly<Record<string, unknown>>;

export const date = (time: number): string => new Date(time).toISOString();
const dateOrNull = (time: number | undefined): string | null => (time === undefined ? null : date(time));

interface PageArgs {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

/** What Railway gives at once at most. */
const largestPage = 5_000;

/** A list in Relay's form, page by page: https://relay.dev/graphql/connections.htm */
export function page(nodes: readonly View[], { first, after, last, before }: PageArgs = {}): View {
  const edges = nodes.map((node, index) => ({ cursor: String(index), node }));
  const from = after == null ? 0 : Number(after) + 1;
  const to = before == null ? edges.length : Number(before);
  const wanted = edges.slice(from, to);
  const cut = last == null ? wanted.slice(0, Math.min(first ?? largestPage, largestPage)) : wanted.slice(-last);
  return {
    edges: cut,
    pageInfo: {
      hasNextPage: Number(cut.at(-1)?.cursor ?? to - 1) < to - 1,
      hasPreviousPage: Number(cut[0]?.cursor ?? 0) > from,
      startCursor: cut[0]?.cursor ?? null,
      endCursor: cut.at(-1)?.cursor ?? null,
    },
  };
}

/** A field with a list of objects. */
export const connection =
  <Item>(items: () => readonly Item[], view: (item: Item) => View) =>
  (args: PageArgs): View =>
    page(items().map(view), args);

export function viewWorkspace(world: World, workspace: Workspace): View {
  const projects = (): Project[] =>
    Object.values(world.state.projects).filter((one) => one.workspaceId === workspace.id);
  return {
    __typename: "Workspace",
    id: workspace.id,
    name: workspace.name,
    plan: workspace.plan,
    preferredRegion: null,
    subscriptionPlanLimit: null,
    createdAt: date(workspace.createdAt),
    updatedAt: date(workspace.createdAt),
    projectCount: () => projects().length,
    projects: connection(projects, (one) => viewProject(world, one)),
  };
}

export function viewProject(world: World, project: Project): View {
  const { state } = world;
  const of =
    <Item extends { readonly projectId: string }>(items: Readonly<Record<string, Item>>) =>
    (): Item[] =>
      Object.values(items).filter((one) => one.projectId === project.id);
  const environments = of(state.environments);
  return {
    __typename: "Project",
    id: project.id,
    name: project.name,
    description: project.description ?? null,
    workspaceId: project.workspaceId,
    workspace: () =>
      viewWorkspace(
        world,
        state.workspaces.find((one) => one.id === project.workspaceId)!,
      ),
    isPublic: project.isPublic,
    prDeploys: project.prDeploys,
    baseEnvironmentId: project.baseEnvironmentId ?? null,
    baseEnvironment: () =>
      project.baseEnvironmentId === undefined
        ? null
        : viewEnvironment(world, state.environments[project.baseEnvironmentId]!),
    primaryEnvironmentId: environments().find((one) => !one.isEphemeral)?.id ?? null,
    subscriptionPlanLimit: {},
    createdAt: date(project.createdAt),
    updatedAt: date(project.updatedAt),
    deletedAt: dateOrNull(project.deletedAt),
    environments: ({ isEphemeral, ...args }: PageArgs & { isEphemeral?: boolean | null }) =>
      page(
        environments()
          .filter((one) => isEphemeral == null || one.isEphemeral === isEphemeral)
          .map((one) => viewEnvironment(world, one)),
        args,
      ),
    services: connection(of(state.services), (one) => viewService(world, one)),
    volumes: connection(of(state.volumes), (one) => viewVolume(world, one)),
    buckets: connection(of(state.buckets), (one) => viewBucket(world, one)),
  };
}

/** How many changes wait to be committed, by service, volume, bucket and shared variable. */
export function countChanges({ patch }: Patch): number {
  return Object.values(patch).reduce<number>(
    (sum, part) => sum + (typeof part === "object" && part !== null ? Object.keys(part).length : 1),
    0,
  );
}

export function viewEnvironment(world: World, environment: Environment): View {
  const { state } = world;
  const { id, sourceEnvironmentId, staged } = environment;
  const here =
    <Item extends { readonly environmentId: string }>(items: Readonly<Record<string, Item>>) =>
    (): Item[] =>
      Object.values(items).filter((one) => one.environmentId === id);
  const source = sourceEnvironmentId === undefined ? undefined : state.environments[sourceEnvironmentId];
  const config = (): Record<string, unknown> => configOf(world, environment);
  return {
    __typename: "Environment",
    id,
    name: environment.name,
    projectId: environment.projectId,
    canAccess: true,
    isEphemeral: environment.isEphemeral,
    meta: null,
    sourceEnvironment: () => (source === undefined ? null : viewEnvironment(world, source)),
    unmergedChangesCount: staged === undefined ? 0 : countChanges(staged),
    config: ({ decryptVariables }: { decryptVariables?: boolean | null }) =>
      decryptVariables === true ? config() : withoutValues(config()),
    configEtag: () => etagOf(config()),
    createdAt: date(environment.createdAt),
    updatedAt: date(environment.updatedAt),
    deletedAt: null,
    serviceInstances: connection(here(state.instances), (one) => viewInstance(world, one)),
    volumeInstances: connection(
      () => here(state.volumeInstances)().filter((one) => one.deletedAt === undefined),
      (one) => viewVolumeInstance(world, one),
    ),
    deployments: connection(
      () => here(state.deployments)().reverse(),
      (one) => viewDeployment(world, one),
    ),
    deploymentTriggers: connection(
      () => here(state.instances)().filter((one) => one.triggerId !== undefined),
      (one) => viewTrigger(world, one),
    ),
  };
}

/** The configuration without variables' values. */
function withoutValues(config: Record<string, unknown>): Record<string, unknown> {
  const bare = (variables: unknown): object =>
    Object.fromEntries(Object.keys(variables as object).map((name) => [name, { value: "*****" }]));
  const services = Object.entries(config["services"] as Record<string, { variables: unknown }>);
  return {
    ...config,
    services: Object.fromEntries(services.map(([id, one]) => [id, { ...one, variables: bare(one.variables) }])),
    sharedVariables: bare(config["sharedVariables"]),
  };
}

export function viewPatch(world: World, environment: Environment, patch: Patch | undefined): View {
  const now = world.clock.now();
  const one = patch ?? { id: newId(), patch: {}, status: "STAGED", createdAt: now, updatedAt: now };
  return {
    __typename: "EnvironmentPatch",
    id: one.id,
    environmentId: environment.id,
    environment: () => viewEnvironment(world, environment),
    patch: one.patch,
    status: one.status,
    message: patch?.message ?? null,
    lastAppliedError: null,
    createdAt: date(one.createdAt),
    updatedAt: date(one.updatedAt),
    appliedAt: dateOrNull(patch?.appliedAt),
  };
}

export function viewService(world: World, service: Service): View {
  const { state } = world;
  return {
    __typename: "Service",
    id: service.id,
    name: service.name,
    icon: service.icon ?? null,
    projectId: service.projectId,
    project: () => viewProject(world, state.projects[service.projectId]!),
    groupId: null,
    templateId: null,
    templateServiceId: null,
    createdAt: date(service.createdAt),
    updatedAt: date(service.updatedAt),
    deletedAt: null,
    repoTriggers: connection(
      () => Object.values(state.instances).filter((one) => one.serviceId === service.id && one.triggerId !== undefined),
      (one) => viewTrigger(world, one),
    ),
  };
}

export function viewTrigger(world: World, instance: Instance): View {
  const { source = {} } = instance.config;
  return {
    __typename: "DeploymentTrigger",
    id: instance.triggerId,
    baseEnvironmentOverrideId: null,
    branch: source.branch ?? "main",
    checkSuites: source.checkSuites ?? false,
    environmentId: instance.environmentId,
    projectId: world.state.services[instance.serviceId]!.projectId,
    provider: "github",
    repository: source.repo ?? "",
    serviceId: instance.serviceId,
    validCheckSuites: 0,
  };
}

export function viewInstance(world: World, instance: Instance): View {
  const { serviceId, environmentId, config } = instance;
  const { source, build = {}, deploy = {} } = config;
  const service = world.state.services[serviceId]!;
  const deployments = (): Deployment[] => deploymentsOf(world, serviceId, environmentId);
  return {
    __typename: "ServiceInstance",
    id: instance.id,
    serviceId,
    environmentId,
    service: () => viewService(world, service),
    serviceName: service.name,
    source: source === undefined ? null : { image: source.image ?? null, repo: source.repo ?? null },
    rootDirectory: source?.rootDirectory ?? null,
    builder: build.builder === undefined || build.builder === "DOCKERFILE" ? "RAILPACK" : build.builder,
    buildCommand: build.buildCommand ?? null,
    dockerfilePath: build.dockerfilePath ?? null,
    watchPatterns: build.watchPatterns ?? [],
    nixpacksPlan: build.nixpacksPlan ?? null,
    railwayConfigFile: config.configFile ?? null,
    startCommand: deploy.startCommand ?? null,
    preDeployCommand: deploy.preDeployCommand ?? null,
    cronSchedule: deploy.cronSchedule ?? null,
    nextCronRunAt: dateOrNull(instance.nextCronRunAt),
    healthcheckPath: deploy.healthcheckPath ?? null,
    healthcheckTimeout: deploy.healthcheckTimeout ?? null,
    numReplicas: deploy.numReplicas ?? null,
    region: deploy.region ?? null,
    restartPolicyType: deploy.restartPolicyType ?? "ON_FAILURE",
    restartPolicyMaxRetries: deploy.restartPolicyMaxRetries ?? 10,
    sleepApplication: deploy.sleepApplication ?? null,
    overlapSeconds: deploy.overlapSeconds ?? null,
    drainingSeconds: deploy.drainingSeconds ?? null,
    ipv6EgressEnabled: deploy.ipv6EgressEnabled ?? null,
    isUpdatable: true,
    createdAt: date(instance.createdAt),
    updatedAt: date(instance.updatedAt),
    deletedAt: null,
    domains: () => viewDomains(world, serviceId, environmentId),
    latestDeployment: () => {
      const [latest] = deployments();
      return latest === undefined ? null : viewDeployment(world, latest);
    },
    activeDeployments: () =>
      deployments()
        .filter(({ isActive }) => isActive)
        .map((one) => viewDeployment(world, one)),
  };
}

export const canRollBack = ({ image, status, isActive, succeededAt }: Deployment): boolean =>
  image !== undefined && succeededAt !== undefined && !isActive && ["REMOVED", "CRASHED"].includes(status);

/** What `Deployment.meta` tells, as far as anybody reads it. */
function metaOf({ commit, config, image, reason }: Deployment): View {
  const { source = {}, deploy = {}, build = {} } = config;
  return {
    reason,
    ...(source.image === undefined ? {} : { image: source.image }),
    ...(source.repo === undefined ? {} : { repo: source.repo, rootDirectory: source.rootDirectory ?? null }),
    ...(commit === undefined
      ? {}
      : { branch: commit.branch, commitHash: commit.sha, commitMessage: commit.message, commitAuthor: "rehearsal" }),
    ...(image === undefined ? {} : { imageDigest: image }),
    serviceManifest: { build, deploy },
  };
}

export function viewDeployment(world: World, deployment: Deployment): View {
  const { serviceId, environmentId, replicas, status } = deployment;
  const domain = domainsOf(world, serviceId, environmentId)[0]?.domain ?? null;
  return {
    __typename: "Deployment",
    id: deployment.id,
    projectId: deployment.projectId,
    environmentId,
    serviceId,
    snapshotId: deployment.snapshotId,
    status,
    statusUpdatedAt: date(deployment.statusUpdatedAt),
    createdAt: date(deployment.createdAt),
    updatedAt: date(deployment.updatedAt),
    url: domain,
    staticUrl: domain,
    meta: metaOf(deployment),
    canRollback: canRollBack(deployment),
    canRedeploy: !isBuilding(deployment),
    deploymentStopped: replicas.length > 0 && replicas.every(({ isUp }) => !isUp),
    instances: replicas.map(({ id, status: one }) => ({ id, status: one })),
    environment: () => viewEnvironment(world, world.state.environments[environmentId]!),
    service: () => viewService(world, world.state.services[serviceId]!),
  };
}

export function viewVolume(world: World, volume: Volume): View {
  return {
    __typename: "Volume",
    id: volume.id,
    name: volume.name,
    projectId: volume.projectId,
    project: () => viewProject(world, world.state.projects[volume.projectId]!),
    createdAt: date(volume.createdAt),
    volumeInstances: connection(
      () =>
        Object.values(world.state.volumeInstances).filter(
          (one) => one.volumeId === volume.id && one.deletedAt === undefined,
        ),
      (one) => viewVolumeInstance(world, one),
    ),
  };
}

export function viewVolumeInstance(world: World, instance: VolumeInstance): View {
  const { state } = world;
  return {
    __typename: "VolumeInstance",
    id: instance.id,
    volumeId: instance.volumeId,
    environmentId: instance.environmentId,
    serviceId: instance.serviceId ?? null,
    externalId: instance.id,
    mountPath: instance.mountPath,
    region: instance.region,
    sizeMB: instance.sizeMB,
    currentSizeMB: 0,
    state: instance.state,
    isPendingDeletion: false,
    createdAt: date(instance.createdAt),
    deletedAt: null,
    environment: () => viewEnvironment(world, state.environments[instance.environmentId]!),
    service: () => {
      if (instance.serviceId === undefined) throw refuse("Service not found", 404);
      return viewService(world, state.services[instance.serviceId]!);
    },
    volume: () => viewVolume(world, state.volumes[instance.volumeId]!),
  };
}

export function viewBucket(world: World, bucket: Bucket): View {
  return {
    __typename: "Bucket",
    id: bucket.id,
    name: bucket.name,
    projectId: bucket.projectId,
    groupId: null,
    project: () => viewProject(world, world.state.projects[bucket.projectId]!),
    createdAt: date(bucket.createdAt),
    updatedAt: date(bucket.createdAt),
  };
}

export function viewDomain(world: World, record: DomainRecord): View {
  const { domain, kind, projectId, serviceId, environmentId, targetPort, createdAt, updatedAt } = record;
  const common = { projectId, serviceId, environmentId, targetPort: targetPort ?? null, syncStatus: "ACTIVE" };
  const times = { createdAt: date(createdAt), updatedAt: date(updatedAt), deletedAt: null };
  if (kind === "service")
    return {
      ...{ __typename: "ServiceDomain", id: record.id, domain, suffix: ownSuffix, newDomainName: null },
      ...{ newHostLabel: null, ...common, ...times },
    };
  const isIssued = world.clock.now() >= (record.issuedAt ?? 0);
  const labels = domain.split(".");
  const zone = labels.slice(-2).join(".");
  const host = labels.slice(0, -2).join(".");
  return {
    ...{ __typename: "CustomDomain", id: record.id, domain, isRailwayDomain: false, ...common, ...times },
    status: {
      verified: isIssued,
      verificationDnsHost: host === "" ? "_railway-verify" : `_railway-verify.${host}`,
      verificationToken: record.verificationToken,
      certificateErrorMessage: null,
      certificateStatus: isIssued ? "CERTIFICATE_STATUS_TYPE_VALID" : "CERTIFICATE_STATUS_TYPE_VALIDATING_OWNERSHIP",
      dnsRecords: [
        {
          currentValue: isIssued ? record.cname : "",
          fqdn: domain,
          hostlabel: host,
          purpose: "DNS_RECORD_PURPOSE_TRAFFIC_ROUTE",
          recordType: "DNS_RECORD_TYPE_CNAME",
          requiredValue: record.cname,
          status: isIssued ? "DNS_RECORD_STATUS_PROPAGATED" : "DNS_RECORD_STATUS_REQUIRES_UPDATE",
          zone,
        },
      ],
    },
  };
}

export function viewDomains(world: World, serviceId: string, environmentId: string): View {
  const all = domainsOf(world, serviceId, environmentId);
  const of = (kind: string): View[] => all.filter((one) => one.kind === kind).map((one) => viewDomain(world, one));
  return { serviceDomains: of("service"), customDomains: of("custom") };
}

export function viewProxy(world: World, proxy: TcpProxy): View {
  return {
    id: proxy.id,
    serviceId: proxy.serviceId,
    environmentId: proxy.environmentId,
    applicationPort: proxy.applicationPort,
    domain: world.host,
    proxyPort: world.state.edges[proxy.id] ?? 0,
    syncStatus: world.state.edges[proxy.id] === undefined ? "CREATING" : "ACTIVE",
    createdAt: date(proxy.createdAt),
    updatedAt: date(proxy.createdAt),
    deletedAt: null,
  };
}

export function viewToken(world: World, token: Token): View {
  return {
    __typename: "ProjectToken",
    id: token.id,
    name: token.name,
    displayToken: `${token.token.slice(0, 4)}…`,
    projectId: token.projectId,
    environmentId: token.environmentId,
    createdAt: date(token.createdAt),
    project: () => viewProject(world, world.state.projects[token.projectId!]!),
    environment: () => viewEnvironment(world, world.state.environments[token.environmentId!]!),
  };
}

export const viewRegions = (): View[] =>
  Object.entries(regions).map(([name, { id, country, location }]) => ({
    id,
    name,
    region: name,
    country,
    location,
    workspaceId: null,
    deploymentConstraints: null,
  }));
