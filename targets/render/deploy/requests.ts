import { quote } from "../../../components/values/shell";
import type { Service } from "../api/types";
import type { RenderService, RenderSpec } from "../plan";

/** Where something is to be made. */
export interface Place {
  readonly ownerId: string;
  readonly environmentId: string;
}

/**
 * Render splits a container's command into words itself, and says nowhere how it takes a shell's signs: as one word behind a
 * shell they are taken alike in any way.
 */
export const shell = (command: string | undefined): string =>
  command === undefined ? "" : `/bin/sh -c ${quote(command)}`;

const listOf = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([key, value]) => ({ key, value }));
const filesOf = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([name, content]) => ({ name, content }));

const allowList = (from: readonly string[]) =>
  from.map((cidrBlock) => ({ cidrBlock, description: "the stack's allowFrom" }));

/** Load at which another instance comes, in percent of the CPU. */
const autoscalingPercent = 70;

export function autoscaling({ instances }: RenderService) {
  if (instances === undefined || instances.min === instances.max) return undefined;
  return {
    enabled: true,
    ...instances,
    criteria: {
      cpu: { enabled: true, percentage: autoscalingPercent },
      memory: { enabled: false, percentage: autoscalingPercent },
    },
  };
}

/** An image's reference in full, as Render tells it: `nginx` is `docker.io/library/nginx:latest`. */
export function fullImage(reference: string): string {
  const [name = "", digest] = reference.split("@");
  const [, path = name, tag = "latest"] = /^(.+?)(?::([\w.-]+))?$/.exec(name) ?? [];
  const [first = ""] = path.split("/");
  const hasRegistry = path.includes("/") && (/[.:]/.test(first) || first === "localhost");
  const full = hasRegistry ? path : path.includes("/") ? `docker.io/${path}` : `docker.io/library/${path}`;
  return digest === undefined ? `${full}:${tag}` : `${full}@${digest}`;
}

/** Details that a PATCH takes, too. */
function detailsOf(service: RenderService) {
  const { code, type, drainSeconds, schedule } = service;
  const dockerfilePath = code.kind === "repository" ? code.dockerfilePath : "";
  return {
    runtime: code.kind === "image" ? "image" : "docker",
    plan: service.plan,
    // All three, as a cron job's creation asks for them.
    envSpecificDetails: { dockerCommand: shell(service.command), dockerContext: ".", dockerfilePath },
    ...(type === "cron_job"
      ? { schedule }
      : { preDeployCommand: shell(service.release), maxShutdownDelaySeconds: drainSeconds }),
    ...(type === "web_service" ? { healthCheckPath: service.healthPath ?? "" } : {}),
    ...(service.allowFrom === undefined ? {} : { ipAllowList: allowList(service.allowFrom) }),
  };
}

function sourceOf({ code }: RenderService, ownerId: string) {
  if (code.kind === "image") return { image: { ownerId, imagePath: fullImage(code.image) } };
  const { repo, branch, rootDir } = code;
  return { repo, rootDir, autoDeploy: "no", ...(branch === undefined ? {} : { branch }) };
}

/** A service's creation: with everything, as it starts a deploy at once. */
export function createBody(
  spec: RenderSpec,
  service: RenderService,
  place: Place,
  env: Record<string, string>,
): unknown {
  const { disk, type, name, files } = service;
  const scaling = autoscaling(service);
  return {
    ...{ type, name, ...place, ...sourceOf(service, place.ownerId) },
    envVars: listOf(env),
    ...(Object.keys(files).length === 0 ? {} : { secretFiles: filesOf(files) }),
    serviceDetails: {
      ...{ ...detailsOf(service), region: spec.region },
      ...(service.instances === undefined ? {} : { numInstances: service.instances.min }),
      ...(scaling === undefined ? {} : { autoscaling: scaling }),
      ...(disk === undefined ? {} : { disk: { name: disk.name, mountPath: disk.path, sizeGB: disk.sizeGb } }),
    },
  };
}

/** What a service has of what a PATCH sets, in the PATCH's form. */
export function patchOf(service: RenderService, ownerId: string): unknown {
  return { ...sourceOf(service, ownerId), serviceDetails: detailsOf(service) };
}

/** The PATCH that brings settings back to what they were: those that the plan for a service may have changed. */
export function patchBack(service: RenderService, found: Service): unknown {
  const { repo, branch, rootDir, imagePath, ownerId, serviceDetails, type } = found;
  const { runtime, plan, envSpecificDetails, schedule, healthCheckPath, ipAllowList } = serviceDetails;
  const { dockerCommand = "", dockerfilePath = "" } = envSpecificDetails ?? {};
  const isLimited = service.allowFrom !== undefined && Array.isArray(ipAllowList);
  return {
    ...(imagePath === undefined ? { repo, branch, rootDir } : { image: { ownerId, imagePath } }),
    serviceDetails: {
      ...{ runtime, plan, envSpecificDetails: { dockerCommand, dockerContext: ".", dockerfilePath } },
      ...(type === "cron_job"
        ? { schedule }
        : {
            preDeployCommand: releaseOf(found),
            maxShutdownDelaySeconds: serviceDetails.maxShutdownDelaySeconds,
          }),
      ...(type === "web_service" ? { healthCheckPath: healthCheckPath ?? "" } : {}),
      ...(isLimited ? { ipAllowList } : {}),
    },
  };
}

/** It is told in one place or the other. */
const releaseOf = ({ serviceDetails: { preDeployCommand, envSpecificDetails } }: Service): string =>
  preDeployCommand ?? envSpecificDetails?.preDeployCommand ?? "";

/** The settings that aren't as planned, by name; empty where a PATCH would change nothing. */
export function differences(service: RenderService, found: Service): string[] {
  const wanted = detailsOf(service);
  const { serviceDetails: has } = found;
  const { code } = service;
  const pairs: [name: string, wanted: unknown, has: unknown][] = [
    ["runtime", wanted.runtime, has.runtime],
    ["plan", wanted.plan, has.plan],
    ["command", wanted.envSpecificDetails.dockerCommand, has.envSpecificDetails?.dockerCommand ?? ""],
  ];
  if (code.kind === "image") pairs.push(["image", fullImage(code.image), found.imagePath]);
  else {
    pairs.push(["repository", code.repo, found.repo], ["root directory", code.rootDir, found.rootDir ?? ""]);
    pairs.push(["Dockerfile", code.dockerfilePath, has.envSpecificDetails?.dockerfilePath]);
    pairs.push(["automatic deploys", "no", found.autoDeploy]);
    if (code.branch !== undefined) pairs.push(["branch", code.branch, found.branch]);
  }
  if (service.type === "cron_job") pairs.push(["schedule", service.schedule, has.schedule]);
  else {
    pairs.push(["release step", shell(service.release), releaseOf(found)]);
    pairs.push(["drain time", service.drainSeconds, has.maxShutdownDelaySeconds]);
  }
  if (service.type === "web_service") pairs.push(["health check", service.healthPath ?? "", has.healthCheckPath ?? ""]);
  if (service.allowFrom !== undefined)
    pairs.push([
      "allowed addresses",
      service.allowFrom.join(),
      (has.ipAllowList ?? []).map((one) => one.cidrBlock).join(),
    ]);
  return pairs.filter(([, one, other]) => one !== other).map(([name]) => name);
}

export { filesOf, listOf };
