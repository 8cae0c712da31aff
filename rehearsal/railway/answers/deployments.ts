import type { Roots } from "../../platform/graphql";
import { deploymentOf, environmentOf, findInstance, projectOf } from "../access";
import { cancel, deploy, retire } from "../deploying";
import { deployInstance } from "../instances";
import type { LogLine, LogQuery } from "../logs";
import { restart } from "../replicas";
import { commitOf } from "../sources";
import type { Deployment, DeploymentStatus, Instance, Token } from "../state";
import { isBuilding } from "../status";
import { page, type View } from "../views/pages";
import { canRollBack, viewDeployment } from "../views/services";
import { deploymentsOf, instanceKey, instanceOf, notAuthorized, refuse, type World } from "../world";

interface Place {
  readonly serviceId: string;
  readonly environmentId: string;
}

interface ListInput {
  readonly projectId?: string | null;
  readonly environmentId?: string | null;
  readonly serviceId?: string | null;
  readonly includeDeleted?: boolean | null;
  readonly status?: {
    readonly in?: readonly DeploymentStatus[] | null;
    readonly notIn?: readonly DeploymentStatus[] | null;
  } | null;
}

const viewLog =
  (world: World) =>
  (line: LogLine): View => ({
    timestamp: line.timestamp,
    message: line.message,
    severity: line.severity,
    attributes: [{ key: "level", value: JSON.stringify(line.severity) }],
    tags: {
      deploymentId: line.deploymentId,
      deploymentInstanceId: null,
      environmentId: line.environmentId,
      projectId: world.state.environments[line.environmentId]?.projectId ?? null,
      serviceId: line.serviceId,
      snapshotId: null,
    },
  });

/** Deployments, and what they log. */
export function deployments(world: World, token: Token): Roots {
  const { state } = world;
  const find = (id: string): Deployment => deploymentOf(world, token, id);
  const place = ({ serviceId, environmentId }: Place): Instance => findInstance(world, token, serviceId, environmentId);
  const logs = (wanted: (line: LogLine) => boolean, query: LogQuery): View[] =>
    world.logs.find(wanted, query).map(viewLog(world));
  const again = async (instance: Instance): Promise<Deployment> => {
    const [latest] = deploymentsOf(world, instance.serviceId, instance.environmentId);
    if (latest === undefined) throw refuse("Cannot redeploy without a snapshot");
    return redeploy(instance, latest, true);
  };
  const redeploy = (instance: Instance, from: Deployment, isSameImage: boolean): Promise<Deployment> => {
    const [latest] = deploymentsOf(world, instance.serviceId, instance.environmentId);
    if (latest !== undefined && isBuilding(latest))
      throw refuse("Cannot redeploy yet, please wait for the original deployment to finish building");
    return deployInstance(world, instance, {
      reason: "redeploy",
      commit: from.commit,
      ...(isSameImage && from.image !== undefined ? { image: from.image } : {}),
    });
  };
  return {
    deployment: ({ id }: { id: string }) => viewDeployment(world, find(id)),
    deployments: ({ input, ...args }: { input: ListInput }) => {
      const { projectId, environmentId, serviceId, status } = input;
      if (environmentId != null) environmentOf(world, token, environmentId);
      else if (projectId != null) projectOf(world, token, projectId);
      else throw notAuthorized();
      const found = Object.values(state.deployments).filter(
        (one) =>
          (projectId == null || one.projectId === projectId) &&
          (environmentId == null || one.environmentId === environmentId) &&
          (serviceId == null || one.serviceId === serviceId) &&
          (token.kind !== "project" || one.environmentId === token.environmentId) &&
          (status?.in == null || status.in.includes(one.status)) &&
          status?.notIn?.includes(one.status) !== true,
      );
      return page(
        found.reverse().map((one) => viewDeployment(world, one)),
        args,
      );
    },
    buildLogs: ({ deploymentId, ...query }: { deploymentId: string }) => {
      const { id } = find(deploymentId);
      return logs((line) => line.deploymentId === id && line.kind === "build", query);
    },
    deploymentLogs: ({ deploymentId, ...query }: { deploymentId: string }) => {
      const { id } = find(deploymentId);
      return logs((line) => line.deploymentId === id && line.kind === "deploy", query);
    },
    environmentLogs: ({
      environmentId,
      filter,
      beforeDate,
      afterDate,
      beforeLimit,
    }: {
      environmentId: string;
      filter?: string | null;
      beforeDate?: string | null;
      afterDate?: string | null;
      beforeLimit?: number | null;
    }) => {
      const { id } = environmentOf(world, token, environmentId);
      const wanted = (line: LogLine): boolean => line.environmentId === id && line.kind === "deploy";
      const query = { filter: filter ?? null, endDate: afterDate ?? null, startDate: beforeDate ?? null };
      return logs(wanted, { ...query, limit: beforeLimit ?? null });
    },

    // What it runs now, and not the branch's last commit.
    serviceInstanceDeployV2: async ({ commitSha, ...where }: Place & { commitSha?: string | null }) => {
      const instance = place(where);
      const commit = commitSha == null ? undefined : await commitOf(world, instance, commitSha);
      return (await deployInstance(world, instance, { commit })).id;
    },
    serviceInstanceDeploy: async ({
      commitSha,
      latestCommit,
      ...where
    }: Place & { commitSha?: string | null; latestCommit?: boolean | null }) => {
      const instance = place(where);
      const commit = commitSha == null ? undefined : await commitOf(world, instance, commitSha);
      await deployInstance(world, instance, { commit, latest: latestCommit === true });
      return true;
    },
    serviceInstanceRedeploy: async (where: Place) => {
      await again(place(where));
      return true;
    },
    environmentTriggersDeploy: async ({ input }: { input: Place }) => {
      await deployInstance(world, place(input), { latest: true });
      return true;
    },
    deploymentRedeploy: async ({ id, usePreviousImageTag }: { id: string; usePreviousImageTag?: boolean | null }) => {
      const from = find(id);
      const made = await redeploy(
        place({ serviceId: from.serviceId, environmentId: from.environmentId }),
        from,
        usePreviousImageTag === true,
      );
      return viewDeployment(world, made);
    },
    deploymentRollback: ({ id }: { id: string }) => {
      const to = find(id);
      if (!canRollBack(to)) throw refuse("Deployment cannot be rolled back to");
      const instance = place({ serviceId: to.serviceId, environmentId: to.environmentId });
      // Its image, settings and variables come back.
      instance.config = structuredClone(to.config);
      deploy(world, instance, { reason: "rollback", commit: to.commit, image: to.image });
      return true;
    },
    deploymentRestart: async ({ id }: { id: string }) => {
      const deployment = find(id);
      if (!["SUCCESS", "CRASHED"].includes(deployment.status)) throw refuse("Deployment is not running");
      await restart(world, deployment);
      return true;
    },
    deploymentStop: async ({ id }: { id: string }) => {
      await retire(world, find(id));
      return true;
    },
    deploymentRemove: async ({ id }: { id: string }) => {
      const deployment = find(id);
      cancel(world, deployment);
      if (!world.tasks.has(instanceKey(deployment.serviceId, deployment.environmentId)))
        await retire(world, deployment);
      return true;
    },
    deploymentCancel: ({ id }: { id: string }) => {
      const deployment = find(id);
      if (!isBuilding(deployment) && deployment.status !== "DEPLOYING") throw refuse("Deployment cannot be cancelled");
      cancel(world, deployment);
      return instanceOf(world, deployment.serviceId, deployment.environmentId) !== undefined;
    },
  };
}
