import type { ResolvedApp } from "../../components/resolvedApp";
import { buildPlan } from "./buildPlan";
import { shell } from "./deploy/requests";
import type { RenderService, RenderSpec } from "./plan";
import type { RenderSettings } from "./settings";
import { tokensIn } from "./tokens";

type Node = string | number | boolean | readonly Node[] | { readonly [key: string]: Node | undefined };

const types: Readonly<Record<RenderService["type"], string>> = {
  web_service: "web",
  private_service: "pserv",
  background_worker: "worker",
  cron_job: "cron",
};

/**
 * The app as a `render.yaml` (https://render.com/docs/blueprint-spec), made from the plan that is deployed otherwise, for
 * those who would rather connect a blueprint. Secrets aren't in it: Render asks for them once.
 */
export function blueprint(app: ResolvedApp, settings: RenderSettings): string {
  const buckets = app.declaration.buckets.map(({ name }) => [name, { bucket: "", region: "" }] as const);
  const spec = buildPlan(app, settings, { buckets: Object.fromEntries(buckets) }, "");
  const document = {
    services: [
      ...spec.services.map((service) => serviceNode(app, spec, service)),
      ...spec.keyValues.map(({ name, plan }) => ({
        ...{ type: "keyvalue", name, plan: spaced(plan), region: spec.region },
        ...{ maxmemoryPolicy: "noeviction", ipAllowList: [] },
      })),
    ],
    databases: spec.postgres.map(({ name, plan, version, diskGb }) => ({
      ...{ name, plan: plan.replaceAll("_", "-"), region: spec.region },
      ...{ postgresMajorVersion: version, diskSizeGB: diskGb, ipAllowList: [] },
    })),
  };
  const files = spec.services.flatMap(({ name, files: all }) => Object.keys(all).map((file) => `${name}: ${file}`));
  const notes = [
    `# ${spec.id}, as its declaration has it. What says "sync: false" is asked for when the blueprint is connected.`,
    ...(files.length === 0
      ? []
      : ["# Secret files aren't part of blueprints; these are to be added in the dashboard:"]),
    ...files.map((file) => `#   ${file}`),
  ];
  return `${notes.join("\n")}\n${lines(document, "").join("\n")}\n`;
}

const spaced = (plan: string): string => plan.replaceAll("_", " ");

function serviceNode(app: ResolvedApp, spec: RenderSpec, service: RenderService): Node {
  const { code, disk, instances, type, command, release } = service;
  const { min = 1, max = 1 } = instances ?? {};
  const runtime = code.kind === "image" ? "image" : "docker";
  return {
    ...{ type: types[type], name: service.name, runtime, plan: spaced(service.plan), region: spec.region },
    ...(code.kind === "image"
      ? { image: { url: code.image } }
      : {
          ...{ repo: code.repo, branch: code.branch, rootDir: code.rootDir === "" ? undefined : code.rootDir },
          ...{ dockerfilePath: code.dockerfilePath, dockerContext: ".", autoDeployTrigger: "off" },
        }),
    dockerCommand: command === undefined ? undefined : shell(command),
    preDeployCommand: release === undefined ? undefined : shell(release),
    schedule: service.schedule,
    healthCheckPath: service.healthPath,
    maxShutdownDelaySeconds: service.drainSeconds,
    ...(min === max
      ? { numInstances: type === "cron_job" || disk !== undefined ? undefined : min }
      : { scaling: { minInstances: min, maxInstances: max, targetCPUPercent: 70 } }),
    disk: disk === undefined ? undefined : { name: disk.name, mountPath: disk.path, sizeGB: disk.sizeGb },
    domains: service.domains.length === 0 ? undefined : service.domains,
    envVars: Object.entries(service.env).map(([key, value]) => variable(app, spec, service, key, value)),
  };
}

/** A value as it is, where it comes from, or a question. */
function variable(app: ResolvedApp, spec: RenderSpec, { part }: RenderService, key: string, value: string): Node {
  const [token] = tokensIn(value);
  if (token?.kind === "postgres")
    return { key, fromDatabase: { name: nameOfPart(spec.postgres, token.part), property: "connectionString" } };
  if (token?.kind === "keyvalue") {
    const name = nameOfPart(spec.keyValues, token.part);
    return { key, fromService: { type: "keyvalue", name, property: "connectionString" } };
  }
  const declared = { ...app.serviceEnv[part], ...app.jobEnv[part] }[key]?.value.kind;
  // What a blueprint can't make (a URL around a host name), and what isn't of the app's contract, such as an archive's key.
  const isAsked = token !== undefined || declared === "secret" || (declared === undefined && key !== "PORT");
  return isAsked || value === "" ? { key, sync: false } : { key, value };
}

const nameOfPart = (all: readonly { readonly part: string; readonly name: string }[], part: string): string =>
  all.find((one) => one.part === part)?.name ?? part;

/** YAML: JSON's texts are YAML's, so only the structure is written in its own way. */
function lines(node: Node, indent: string): string[] {
  if (typeof node !== "object") return [`${indent}${JSON.stringify(node)}`];
  if (Array.isArray(node)) {
    return (node as readonly Node[]).flatMap((item) => {
      const [first = "", ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(node).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (typeof value !== "object") return [`${indent}${key}: ${JSON.stringify(value)}`];
    if (Object.keys(value).length === 0) return [`${indent}${key}: ${Array.isArray(value) ? "[]" : "{}"}`];
    return [`${indent}${key}:`, ...lines(value, `${indent}  `)];
  });
}
