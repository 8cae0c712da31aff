import { domainsOf } from "../domains";
import type { Deployment, Instance, Service } from "../state";
import { isBuilding } from "../status";
import { deploymentsOf, type World } from "../world";
import { viewDomains } from "./networking";
import { connection, date, dateOrNull, type View } from "./pages";
import { viewEnvironment, viewProject } from "./projects";

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
