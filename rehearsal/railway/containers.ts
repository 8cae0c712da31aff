import { request } from "node:http";
import type { Container } from "../platform/runtime";
import { standardPort } from "./rendering";
import type { Deployment, Replica } from "./state";
import { words } from "./words";
import { slug, type World } from "./world";

/** The domain that a container's lookups end with first, so that private names are its environment's own. */
export const searchDomain = (environmentId: string): string => `${environmentId}.rehearsal`;

/** The port that a deployment is told to listen on. */
export const portOf = (deployment: Deployment): number => Number(deployment.variables["PORT"] ?? standardPort);

/** The ports by which the platform reaches into a deployment's containers. */
function portsOf(world: World, deployment: Deployment): number[] {
  const { serviceId, environmentId } = deployment;
  const here = (one: { serviceId: string; environmentId: string }): boolean =>
    one.serviceId === serviceId && one.environmentId === environmentId;
  const domains = Object.values(world.state.domains).filter(here);
  const proxies = Object.values(world.state.tcpProxies).filter(here);
  const wanted = [
    portOf(deployment),
    ...domains.map(({ targetPort }) => targetPort),
    ...proxies.map(({ applicationPort }) => applicationPort),
  ];
  return [...new Set(wanted)].filter((port) => port !== undefined);
}

/** What a container of a deployment is made from. `command`: instead of its start command, as for a step before it. */
export function containerOf(
  world: World,
  deployment: Deployment,
  replica: Pick<Replica, "id" | "index" | "region">,
  command?: string,
): Container {
  const { state } = world;
  const { serviceId, environmentId } = deployment;
  const startCommand = command ?? deployment.config.deploy?.startCommand;
  const mounted = Object.values(state.volumeInstances).filter(
    (one) => one.serviceId === serviceId && one.environmentId === environmentId && one.deletedAt === undefined,
  );
  return {
    id: replica.id,
    image: deployment.image!,
    env: {
      PORT: standardPort,
      ...deployment.variables,
      RAILWAY_REPLICA_ID: replica.id,
      RAILWAY_REPLICA_REGION: replica.region,
    },
    // It replaces the image's entrypoint: https://docs.railway.com/guides/start-command
    ...(startCommand === undefined ? {} : { entrypoint: words(startCommand) }),
    // A step before the start has no volumes: https://docs.railway.com/guides/pre-deploy-command
    volumes: command === undefined ? mounted.map(({ id, mountPath }) => ({ name: id, path: mountPath })) : [],
    files: [],
    ports: command === undefined ? portsOf(world, deployment) : [],
    privateAddress: world.runtime.privateAddress(replica.index),
    hostname: slug(state.services[serviceId]?.name ?? serviceId).slice(0, 60),
    search: searchDomain(environmentId),
  };
}

/** Asks a replica's health once. On paper nothing listens, and all is well. */
export function isHealthy(world: World, deployment: Deployment, replica: Replica): Promise<boolean> {
  if (replica.isSick) return Promise.resolve(false);
  const address = world.runtime.address(replica.id, portOf(deployment));
  // Ports are told once it has started: until then nobody can say that it is well.
  if (address === undefined) return Promise.resolve(replica.isUp && replica.status === "RUNNING");
  const path = deployment.config.deploy?.healthcheckPath ?? "/";
  return new Promise((resolve) => {
    const asked = request(
      // The name that it asks by: https://docs.railway.com/guides/healthchecks#healthcheck-hostname
      { ...address, path, timeout: 5_000, agent: false, headers: { host: "healthcheck.railway.app" } },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asked.once("timeout", () => {
      asked.destroy(new Error("timeout"));
    });
    asked.once("error", () => {
      resolve(false);
    });
    asked.end();
  });
}
