import * as docker from "@pulumi/docker";
import { log, output, runtime, secret, unknown } from "@pulumi/pulumi";
import type { ComponentResource, Input, Output, Resource } from "@pulumi/pulumi";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Service } from "../../components/declaration";
import type { Problem } from "../../components/problems";
import { ProblemReport } from "../../components/report";
import type { ResolvedApp } from "../../components/resolvedApp";
import type { StackConfig } from "../../components/settings";
import { SourceError } from "../../drivers/source";
import { stageContext, type Code } from "./context";
import { engineProblem, findEngine, type DockerEngine } from "./engine";

/** Where an app's images are pushed to. */
export interface Destination {
  /** `registry.fly.io/hotrod-prod`, without a tag. */
  readonly repository: string;
  readonly username: string;
  readonly password: string;
  /** What has to be there before the first push. */
  readonly after: readonly Resource[];
}

/** Makes the image of a service that has a source. @returns its reference, by digest */
export type BuildImage = (parent: ComponentResource, app: ResolvedApp, service: Service) => Input<string>;

/** One image: services of one source and Dockerfile share it. */
interface Build {
  readonly app: ResolvedApp;
  /** `hotrod-web`, after the first service that has it. */
  readonly name: string;
  readonly tag: string;
  readonly code: Code;
  /** Relative to the source's directory. */
  readonly dockerfile: string;
}

const project = join(__dirname, "..", "..");
const defaultDockerfile = "Dockerfile";

/**
 * Prepares the images of all apps of a target: their sources are fetched and laid out, and a Docker Engine is looked for.
 * A preview goes without one, and then can't tell which images will change.
 * @param destinationOf called once an app that has an image to build
 * @throws ProblemReport before any resource is registered
 */
export async function openImages(
  apps: readonly ResolvedApp[],
  config: StackConfig,
  destinationOf: (parent: ComponentResource, app: ResolvedApp) => Destination,
): Promise<BuildImage> {
  const builds = new Map(apps.flatMap((app) => buildsOf(app)));
  const distinct = [...new Set(builds.values())];
  if (distinct.length === 0) return unbuilt;
  const [staged, engine] = await Promise.all([Promise.all(distinct.map(stage)), findEngine(config)]);
  const names = [...new Set(distinct.map(({ app }) => app.declaration.name))];
  const problems = staged.flatMap((one) => ("problem" in one ? [one.problem] : []));
  if (engine.absent !== undefined && !runtime.isDryRun()) problems.push(engineProblem(engine, names));
  if (problems.length > 0) throw new ProblemReport(problems, config.stack);
  if (engine.absent !== undefined) {
    const { what, fix } = engineProblem(engine, names);
    await log.warn(`${what} This preview can't tell which images will change. Before \`pulumi up\`: ${fix}`);
  }
  const contexts = new Map(distinct.map((build, i) => [build, (staged[i] as { context: string }).context]));
  const provider = dockerProvider(config, engine);
  const destinations = new Map<string, Destination>();
  const images = new Map<Build, Output<string>>();
  return (parent, app, service) => {
    const build = builds.get(`${app.declaration.name}.${service.name}`);
    const context = build === undefined ? undefined : contexts.get(build);
    if (build === undefined || context === undefined) return unbuilt(parent, app, service);
    const destination = destinations.get(app.declaration.name) ?? destinationOf(parent, app);
    destinations.set(app.declaration.name, destination);
    const image = images.get(build) ?? makeImage(parent, build, context, destination, provider);
    images.set(build, image);
    return image;
  };
}

const unbuilt: BuildImage = (_parent, app, service) => {
  throw new Error(`${app.declaration.name}.${service.name} has no source that an image could be built from.`);
};

/** The build of each service that has a source, by `<app>.<service>`. */
function buildsOf(app: ResolvedApp): [string, Build][] {
  const known = new Map<string, Build>();
  return app.declaration.services.flatMap((service): [string, Build][] => {
    const code = app.code[service.name];
    if (service.image !== undefined || code === undefined) return [];
    const dockerfile = service.dockerfile ?? defaultDockerfile;
    const key = JSON.stringify([code.source, dockerfile]);
    const name = `${app.declaration.name}-${service.name}`;
    const build = known.get(key) ?? { app, name, tag: service.name, code, dockerfile };
    known.set(key, build);
    return [[`${app.declaration.name}.${service.name}`, build]];
  });
}

async function stage({ app, name, code, dockerfile }: Build): Promise<{ context: string } | { problem: Problem }> {
  const appName = app.declaration.name;
  try {
    const context = await stageContext(project, app.stack, name, code);
    if (statSync(join(project, context, dockerfile), { throwIfNoEntry: false })?.isFile() === true) return { context };
    const where = code.source.directory === undefined ? "" : ` in "${code.source.directory}"`;
    return {
      problem: {
        where: `${appName}.${name.slice(appName.length + 1)}.dockerfile`,
        what: `The source has no file "${dockerfile}"${where}: ${code.fingerprint.describe}.`,
        why: `On ${app.target.about} code runs in an image that is built from a Dockerfile.`,
        fix: `add it to the app's repository, name another one in apps/${appName}.ts (dockerfile), or choose another target`,
      },
    };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { what, where, why, fix } = error;
    return { problem: { where: `${appName}:source`, what: `${what}: ${where}.`, why, fix } };
  }
}

/**
 * A provider of the stack's own: its settings can be unknown, which lets a preview go without a Docker Engine. The package's
 * default provider fails then.
 */
function dockerProvider(config: StackConfig, engine: DockerEngine): docker.Provider {
  const given = (key: string): Input<string> | undefined => {
    const entry = config.entries.get(`docker:${key}`);
    return entry?.secret === true ? secret(entry.value) : entry?.value;
  };
  const host = engine.absent === undefined ? given("host") : (output(unknown) as unknown as Output<string>);
  const keys = ["caMaterial", "certMaterial", "keyMaterial", "certPath"] as const;
  const sshOpts = config.entries.get("docker:sshOpts")?.value;
  return new docker.Provider("docker", {
    host,
    ...Object.fromEntries(keys.map((key) => [key, given(key)])),
    ...(sshOpts === undefined ? {} : { sshOpts: JSON.parse(sshOpts) as string[] }),
  });
}

function makeImage(
  parent: ComponentResource,
  { name, tag, dockerfile }: Build,
  context: string,
  { repository, username, password, after }: Destination,
  provider: docker.Provider,
): Output<string> {
  const image = new docker.Image(
    `${name}-image`,
    {
      imageName: `${repository}:${tag}`,
      build: { context, dockerfile: `${context}/${dockerfile}`, platform: "linux/amd64" },
      buildOnPreview: false,
      registry: { server: repository.split("/")[0] ?? "", username, password: secret(password) },
    },
    // The provider deletes no image, but asks for a Docker Engine before it doesn't.
    { parent, provider, dependsOn: [...after], retainOnDelete: true },
  );
  return image.repoDigest;
}
