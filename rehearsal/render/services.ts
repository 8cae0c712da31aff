import { misfits, type Contract } from "../platform/contract";
import { without } from "../platform/without";
import { addDiskTo } from "./disks";
import { fullReference } from "./images";
import { removeInstance, instancesOf, restartInstances } from "./instances";
import { environmentOf } from "./owners";
import { asked, found, page, requireOwner, type Handler, type Request } from "./operation";
import { enqueueDeploy, scaleTo } from "./rollout";
import { diskOf, serviceView } from "./serviceView";
import { removeDiskData } from "./snapshots";
import type { Details, Service, ServiceType } from "./state";
import { chance, isListed, newId, present, refuse, subjectOf, type World } from "./world";

interface ImageInput {
  readonly imagePath: string;
  readonly ownerId: string;
  readonly registryCredentialId?: string;
}

interface DetailsInput extends Partial<Omit<Details, "autoscaling">> {
  readonly env?: string;
  readonly autoscaling?: Details["autoscaling"];
  readonly disk?: { readonly name: string; readonly mountPath: string; readonly sizeGB?: number };
  readonly maintenanceMode?: unknown;
}

interface ServiceInput {
  readonly type: ServiceType | "static_site";
  readonly name: string;
  readonly ownerId: string;
  readonly environmentId?: string;
  readonly repo?: string;
  readonly branch?: string;
  readonly image?: ImageInput;
  readonly rootDir?: string;
  readonly autoDeploy?: string;
  readonly envVars?: readonly { readonly key: string; readonly value?: string; readonly generateValue?: boolean }[];
  readonly secretFiles?: readonly { readonly name: string; readonly content: string }[];
  readonly serviceDetails?: DetailsInput;
}

const detailSchemas: Readonly<Record<ServiceType, string>> = {
  web_service: "webServiceDetails",
  private_service: "privateServiceDetails",
  background_worker: "backgroundWorkerDetails",
  cron_job: "cronJobDetails",
};

/** The contract allows any kind's details for any kind of service; Render doesn't. */
function requireDetails(contract: Contract, type: ServiceType, verb: "POST" | "PATCH", details: unknown): void {
  const schema = contract.schemas[`${detailSchemas[type]}${verb}`]!;
  const wrong = misfits(contract, schema, details, "serviceDetails");
  if (wrong.length > 0) throw refuse(400, `invalid request: ${wrong.join("; ")}`);
}

/** The service of a path's id, if the key sees it. */
export const serviceOf = (request: Request): Service =>
  found(request, request.world.state.services, request.values["serviceId"]!);

const nameForm = /^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$/;

function slugFor(world: World, name: string, type: ServiceType): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 48);
  const taken = [...world.state.takenSlugs, ...Object.values(world.state.services).map(({ slug }) => slug)];
  // A private service's host name always ends with some characters of chance.
  return type === "private_service" || taken.includes(plain) ? `${plain}-${chance(4)}` : plain;
}

/** Variables by name, with made values where those are asked for. */
export function variablesOf(list: ServiceInput["envVars"] = []): Record<string, string> {
  const wrong = list.filter(({ key }) => !/^[-._A-Za-z][-._A-Za-z0-9]*$/.test(key));
  if (wrong.length > 0) throw refuse(400, `invalid environment variable key: ${wrong[0]!.key}`);
  return Object.fromEntries(list.map(({ key, value }) => [key, value ?? chance(43)]));
}

function requireSource(contract: Contract, body: ServiceInput): void {
  const { serviceDetails, image, repo, type } = body;
  if (type === "static_site") throw refuse(400, "the rehearsal has no static sites");
  if (serviceDetails === undefined) throw refuse(400, "serviceDetails is missing");
  requireDetails(contract, type, "POST", serviceDetails);
  const { runtime, disk, numInstances = 1, autoscaling } = serviceDetails;
  if ((image === undefined) === (repo === undefined)) throw refuse(400, "either repo or image is required");
  if ((runtime === "image") !== (image !== undefined)) throw refuse(400, `runtime ${runtime} does not fit the source`);
  if (disk !== undefined && (numInstances > 1 || autoscaling?.enabled === true))
    throw refuse(400, "services with disks cannot be scaled beyond one instance");
}

export const createServiceWith =
  (contract: Contract): Handler =>
  (request) => {
    const { world } = request;
    const body = request.body as ServiceInput;
    requireOwner(request, body.ownerId);
    requireSource(contract, body);
    const type = body.type as ServiceType;
    if (!nameForm.test(body.name)) throw refuse(400, `invalid name: ${body.name}`);
    const isTaken = Object.values(world.state.services).some(
      ({ name, ownerId }) => name === body.name && ownerId === body.ownerId,
    );
    if (isTaken) throw refuse(400, `name already in use: ${body.name}`);
    if (body.environmentId !== undefined) environmentOf(request, body.environmentId);
    const { image, serviceDetails = {} } = body;
    if (image?.registryCredentialId !== undefined) found(request, world.state.credentials, image.registryCredentialId);
    const { disk, env, ...details } = without(serviceDetails, "maintenanceMode");
    const now = world.clock.now();
    const service: Service = {
      id: newId(type === "cron_job" ? "crn" : "srv"),
      type,
      name: body.name,
      slug: slugFor(world, body.name, type),
      ownerId: body.ownerId,
      environmentId: body.environmentId,
      repo: body.repo,
      branch: body.repo === undefined ? undefined : (body.branch ?? "main"),
      rootDir: body.rootDir ?? "",
      autoDeploy: body.autoDeploy ?? "yes",
      imagePath: image === undefined ? undefined : fullReference(image.imagePath),
      registryCredentialId: image?.registryCredentialId,
      envVars: variablesOf(body.envVars),
      secretFiles: Object.fromEntries((body.secretFiles ?? []).map(({ name, content }) => [name, content])),
      details: {
        ...details,
        runtime: details.runtime ?? env ?? "docker",
        plan: details.plan ?? "starter",
        region: details.region ?? "oregon",
        numInstances: details.numInstances ?? 1,
        envSpecificDetails: details.envSpecificDetails ?? {},
      } as Details,
      suspended: false,
      createdAt: now,
      updatedAt: now,
      lookedAt: now,
    };
    world.state.services[service.id] = service;
    if (disk !== undefined) addDiskTo(world, service, { sizeGB: 1, ...disk });
    const deploy = enqueueDeploy(world, service, "api");
    world.store.save();
    return { status: 201, body: { service: serviceView(world, service), deployId: deploy.id } };
  };

export const listServices: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "service",
    Object.values(world.state.services)
      .filter((service) => {
        const { ownerId, name, type, environmentId, suspended, details, createdAt } = service;
        const isSeen = ownerIds.includes(ownerId) && isListed(world, createdAt);
        const isOf = asked(query, "ownerId", ownerId) && asked(query, "environmentId", environmentId);
        const state = suspended ? "suspended" : "not_suspended";
        const isKind = asked(query, "type", type) && asked(query, "suspended", state);
        return isSeen && isOf && isKind && asked(query, "name", name) && asked(query, "region", details.region);
      })
      .map((service) => serviceView(world, service)),
  );

export const retrieveService: Handler = (request) => ({
  status: 200,
  body: serviceView(request.world, serviceOf(request)),
});

/** A merge patch: what isn't named stays. It deploys nothing. */
export const updateServiceWith =
  (contract: Contract): Handler =>
  (request) => {
    const { world } = request;
    const service = serviceOf(request);
    const { serviceDetails, image, ...body } = request.body as Partial<ServiceInput>;
    if (serviceDetails !== undefined) requireDetails(contract, service.type, "PATCH", serviceDetails);
    const isTaken = Object.values(world.state.services).some(
      (other) => other !== service && other.name === body.name && other.ownerId === service.ownerId,
    );
    if (isTaken) throw refuse(400, `name already in use: ${body.name}`);
    const { name, repo, branch, rootDir, autoDeploy } = body;
    Object.assign(service, present({ name, repo, branch, rootDir, autoDeploy }));
    if (image !== undefined) {
      if (image.registryCredentialId !== undefined) found(request, world.state.credentials, image.registryCredentialId);
      Object.assign(service, {
        imagePath: fullReference(image.imagePath),
        registryCredentialId: image.registryCredentialId,
        repo: undefined,
        branch: undefined,
      });
    }
    if (repo !== undefined) Object.assign(service, { imagePath: undefined, registryCredentialId: undefined });
    const { envSpecificDetails, ...details } = serviceDetails ?? {};
    service.details = {
      ...service.details,
      ...present(details),
      envSpecificDetails: { ...service.details.envSpecificDetails, ...envSpecificDetails },
    } as Details;
    service.updatedAt = world.clock.now();
    world.store.save();
    return { status: 200, body: serviceView(world, service) };
  };

export const deleteService: Handler = async (request) => {
  const { world } = request;
  const service = serviceOf(request);
  const { state } = world;
  state.services = without(state.services, service.id);
  const disk = diskOf(world, service);
  const keep = <Thing extends { serviceId: string }>(things: Record<string, Thing>): Record<string, Thing> =>
    Object.fromEntries(Object.entries(things).filter(([, thing]) => thing.serviceId !== service.id));
  state.deploys = keep(state.deploys);
  state.domains = keep(state.domains);
  state.runs = keep(state.runs);
  state.disks = keep(state.disks);
  world.store.save();
  await Promise.all(instancesOf(world, service.id).map((instance) => removeInstance(world, instance)));
  if (disk !== undefined) await removeDiskData(world, disk);
  return { status: 204 };
};

export const scaleService: Handler = async (request) => {
  const { world } = request;
  const service = serviceOf(request);
  const { numInstances } = request.body as { numInstances: number };
  if (numInstances < 1 || numInstances > 100) throw refuse(400, "numInstances is to be from 1 to 100");
  if (service.type === "cron_job") throw refuse(400, "cron jobs cannot be scaled");
  if (numInstances > 1 && diskOf(world, service) !== undefined)
    throw refuse(400, "services with disks cannot be scaled beyond one instance");
  await scaleTo(world, service, numInstances);
  return { status: 202 };
};

export const autoscaleService: Handler = (request) => {
  const { world } = request;
  const service = serviceOf(request);
  const wanted = request.body as NonNullable<Details["autoscaling"]>;
  if (wanted.min < 1 || wanted.max < wanted.min) throw refuse(400, "invalid autoscaling range");
  if (wanted.enabled && diskOf(world, service) !== undefined)
    throw refuse(400, "services with disks cannot be scaled beyond one instance");
  service.details = { ...service.details, autoscaling: wanted };
  service.updatedAt = world.clock.now();
  world.store.save();
  return { status: 200, body: wanted };
};

export const deleteAutoscalingConfig: Handler = (request) => {
  const service = serviceOf(request);
  service.details = without(service.details, "autoscaling");
  request.world.store.save();
  return { status: 204 };
};

export const suspendService: Handler = async (request) => {
  const { world } = request;
  const service = serviceOf(request);
  service.suspended = true;
  world.store.save();
  await Promise.all(instancesOf(world, service.id).map((instance) => removeInstance(world, instance)));
  return { status: 202 };
};

export const resumeService: Handler = (request) => {
  const service = serviceOf(request);
  if (!service.suspended) throw refuse(400, `${subjectOf(service)} is not suspended`);
  service.suspended = false;
  enqueueDeploy(request.world, service, "service_resumed");
  return { status: 202 };
};

export const restartService: Handler = async (request) => {
  await restartInstances(request.world, serviceOf(request));
  return { status: 200 };
};

export const listInstances: Handler = (request) => ({
  status: 200,
  body: instancesOf(request.world, serviceOf(request).id)
    .filter(({ isKept }) => isKept)
    .map(({ id, createdAt }) => ({ id, createdAt: new Date(createdAt).toISOString() })),
});
