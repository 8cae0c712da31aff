import type { Service } from "./state";
import { isoTime, present, type World } from "./world";

/** A service's disk, if it has one. */
export const diskOf = (world: World, service: Service) =>
  Object.values(world.state.disks).find((disk) => disk.serviceId === service.id);

/** The port that a service is to listen on: https://render.com/docs/web-services#port-binding */
export const portOf = (env: Readonly<Record<string, string>>): number => Number(env["PORT"] ?? 10_000);

/** Details that the answer always has, whether they were given or not. */
function environmentDetails({ details }: Service): unknown {
  const { dockerCommand = "", dockerContext = ".", dockerfilePath = "./Dockerfile" } = details.envSpecificDetails;
  if (details.runtime === "docker" || details.runtime === "image")
    return { dockerCommand, dockerContext, dockerfilePath, preDeployCommand: details.preDeployCommand ?? "" };
  const { buildCommand = "", startCommand = "" } = details.envSpecificDetails;
  return { buildCommand, startCommand, preDeployCommand: details.preDeployCommand ?? "" };
}

function addressOf(service: Service): string | undefined {
  if (service.type === "web_service") return `https://${service.slug}.onrender.com`;
  return service.type === "private_service" ? `${service.slug}:${portOf(service.envVars)}` : undefined;
}

function detailsView(world: World, service: Service): Record<string, unknown> {
  const { details, type } = service;
  const disk = diskOf(world, service);
  const url = addressOf(service);
  const common = {
    env: details.runtime,
    runtime: details.runtime,
    plan: details.plan,
    region: details.region,
    envSpecificDetails: environmentDetails(service),
    buildPlan: "starter",
  };
  if (type === "cron_job") return { ...common, schedule: details.schedule };
  const { autoscaling, ipAllowList, previews } = details;
  return {
    ...common,
    numInstances: details.numInstances,
    maxShutdownDelaySeconds: details.maxShutdownDelaySeconds ?? 30,
    // https://render.com/docs/ssh
    ...(details.plan === "free" ? {} : { sshAddress: `${service.id}@ssh.${details.region}.render.com` }),
    ...present({ autoscaling, url }),
    ...(disk === undefined
      ? {}
      : { disk: { id: disk.id, name: disk.name, sizeGB: disk.sizeGB, mountPath: disk.mountPath } }),
    previews: { generation: previews?.generation ?? "off" },
    ...(type === "background_worker" ? {} : { openPorts: [{ port: portOf(service.envVars), protocol: "TCP" }] }),
    ...(type === "web_service"
      ? {
          healthCheckPath: details.healthCheckPath ?? "",
          ipAllowList: ipAllowList ?? [{ cidrBlock: "0.0.0.0/0", description: "everywhere" }],
          renderSubdomainPolicy: "enabled",
        }
      : {}),
  };
}

/** A service as the API shows it. Variables and secret files have calls of their own. */
export function serviceView(world: World, service: Service): { id: string } & Record<string, unknown> {
  const { id, type, name, slug, ownerId, environmentId, repo, branch, imagePath, registryCredentialId } = service;
  const credential = world.state.credentials[registryCredentialId ?? ""];
  return {
    ...{ id, type, name, slug, ownerId, rootDir: service.rootDir, autoDeploy: service.autoDeploy },
    ...present({ environmentId, repo, branch, imagePath }),
    ...(credential === undefined ? {} : { registryCredential: { id: credential.id, name: credential.name } }),
    createdAt: isoTime(service.createdAt),
    updatedAt: isoTime(service.updatedAt),
    dashboardUrl: `https://dashboard.render.com/${type === "cron_job" ? "cron" : "web"}/${id}`,
    notifyOnFail: "default",
    suspended: service.suspended ? "suspended" : "not_suspended",
    suspenders: service.suspended ? ["user"] : [],
    serviceDetails: detailsView(world, service),
  };
}
