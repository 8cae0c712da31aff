import { asked, page, type Handler, type Request } from "./operation";
import { repositoryOf } from "./images";
import { cancelDeploy, deploysOf, enqueueDeploy, settled } from "./rollout";
import { serviceOf } from "./services";
import type { Deploy } from "./state";
import { isoTime, present, refuse } from "./world";

function view(deploy: Deploy): { id: string } & Record<string, unknown> {
  const { id, status, trigger, commit, image, createdAt, updatedAt, startedAt, finishedAt } = deploy;
  return {
    ...{ id, status, trigger, createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) },
    ...present({ commit, image }),
    ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: isoTime(finishedAt) }),
  };
}

export const listDeploys: Handler = (request) => {
  const { query, world } = request;
  const after = query.get("createdAfter");
  const deploys = deploysOf(world, serviceOf(request).id).filter(
    ({ status, createdAt }) =>
      asked(query, "status", status) && (after === null || createdAt > new Date(after).getTime()),
  );
  return page(query, "deploy", deploys.map(view));
};

function deployOf(request: Request): Deploy {
  const id = request.values["deployId"]!;
  const deploy = request.world.state.deploys[id];
  if (deploy === undefined || deploy.serviceId !== serviceOf(request).id) throw refuse(404, `not found: ${id}`);
  return deploy;
}

export const retrieveDeploy: Handler = (request) => ({ status: 200, body: view(deployOf(request)) });

/** 201 with the deploy, or 202 with nothing where it has to wait for another one. */
export const createDeploy: Handler = (request) => {
  const service = serviceOf(request);
  const { commitId, imageUrl } = request.body as { commitId?: string; imageUrl?: string };
  if (service.suspended) throw refuse(400, "the service is suspended");
  if (commitId !== undefined && service.type === "cron_job")
    throw refuse(400, "commitId is not supported for cron jobs");
  if (commitId !== undefined && service.repo === undefined) throw refuse(400, "the service has no repository");
  if (
    imageUrl !== undefined &&
    (service.imagePath === undefined || repositoryOf(imageUrl) !== repositoryOf(service.imagePath))
  )
    throw refuse(400, "imageUrl must match the service's image host, repository and name");
  const deploy = enqueueDeploy(request.world, service, "api", present({ commitId, imageUrl }));
  return deploy.status === "queued" ? { status: 202 } : { status: 201, body: view(deploy) };
};

export const cancelDeployOf: Handler = (request) => {
  const deploy = deployOf(request);
  // https://api-docs.render.com/reference/cancel-deploy
  if (serviceOf(request).type === "cron_job") throw refuse(400, "deploys of cron jobs cannot be canceled");
  if (settled.includes(deploy.status)) throw refuse(400, `the deploy is ${deploy.status}`);
  cancelDeploy(request.world, deploy);
  return { status: 200, body: view(deploy) };
};

/** A new deploy of what an older one built. https://render.com/docs/rollbacks */
export const rollbackDeploy: Handler = (request) => {
  const service = serviceOf(request);
  const { deployId } = request.body as { deployId: string };
  const target = request.world.state.deploys[deployId];
  if (target === undefined || target.serviceId !== service.id) throw refuse(404, `not found: ${deployId}`);
  if (target.artifact === undefined || !["live", "deactivated"].includes(target.status))
    throw refuse(400, "the deploy was never live");
  const deploy = enqueueDeploy(request.world, service, "rollback", { artifactOf: target.id });
  return { status: 201, body: view(deploy) };
};
