import { createHash } from "node:crypto";
import type { Commit, Deployment, Instance } from "./state";
import { tarFiles } from "./tar";
import { refuse, type World } from "./world";

/** Why a build failed, in words for its log. */
export class BuildFailure extends Error {
  override readonly name = "BuildFailure";
}

/** The branch that an instance follows. */
export const branchOf = (instance: Instance): string => instance.config.source?.branch ?? "main";

/** The last commit of an instance's branch. Throws for a repository that can't be had. */
export async function headOf(world: World, instance: Instance): Promise<Commit | undefined> {
  const { repo } = instance.config.source ?? {};
  if (repo === undefined) return undefined;
  const branch = branchOf(instance);
  const head = await world.repositories.head(repo, branch);
  if (head === undefined) throw refuse(`Repository ${repo} or its branch ${branch} not found`);
  return { sha: head.id, message: head.message, branch };
}

/** The commit of that id in an instance's repository. */
export async function commitOf(world: World, instance: Instance, sha: string): Promise<Commit> {
  const { repo } = instance.config.source ?? {};
  const isId = /^[0-9a-f]{7,40}$/.test(sha);
  const found = repo === undefined || !isId ? undefined : await world.repositories.find(repo, sha);
  if (found === undefined) throw refuse("Commit not found");
  return { sha: found.id, message: found.message, branch: branchOf(instance) };
}

/** The variables that a Dockerfile declares, by which a build sees them: https://docs.railway.com/guides/dockerfiles */
export function declaredArgs(dockerfile: string): string[] {
  return [...dockerfile.matchAll(/^\s*ARG\s+([A-Za-z_]\w*)/gim)].map(([, name]) => name!);
}

/** Has a deployment's image built from its repository, or found in a registry. Throws a BuildFailure. */
export async function makeImage(world: World, deployment: Deployment): Promise<string> {
  const { source = {}, build = {} } = deployment.config;
  const say = (line: string): void => {
    world.logs.add(deployment, "build", line);
  };
  if (world.faults.happens("buildFailure", subjectOf(world, deployment)))
    throw new BuildFailure("a build that the rehearsal was told to let fail");
  if (source.image !== undefined) {
    say(`pulling ${source.image}`);
    const digest = await world.runtime.resolve(source.image);
    if (digest === undefined)
      throw new BuildFailure(`failed to pull image ${source.image}: manifest unknown or authentication required`);
    return source.image;
  }
  const { commit } = deployment;
  if (source.repo === undefined || commit === undefined) throw new BuildFailure("the service has no source");
  const root = source.rootDirectory ?? "";
  const archive = await world.repositories.archive(source.repo, commit.sha, root).catch(() => {
    throw new BuildFailure(`Could not find root directory: ${root}`);
  });
  const files = tarFiles(archive);
  // From the repository's root or the service's: https://docs.railway.com/guides/dockerfiles#custom-dockerfile-path
  const wanted = (build.dockerfilePath ?? deployment.variables["RAILWAY_DOCKERFILE_PATH"] ?? "Dockerfile").replace(
    /^\.?\//,
    "",
  );
  const dockerfile = files.get(wanted);
  if (dockerfile === undefined)
    throw new BuildFailure(
      wanted === "Dockerfile"
        ? "Railpack could not determine how to build the app (the rehearsal builds Dockerfiles alone)"
        : `couldn't locate the dockerfile at path ${wanted} in code archive`,
    );
  const args = Object.fromEntries(
    declaredArgs(dockerfile.toString())
      .filter((name) => deployment.variables[name] !== undefined)
      .map((name) => [name, deployment.variables[name]!]),
  );
  const known = createHash("sha256")
    .update(JSON.stringify([source.repo, commit.sha, root, wanted, args]))
    .digest("hex")
    .slice(0, 16);
  const name = `registry.railway.internal/builds:${known}`;
  say(`building ${source.repo} at ${commit.sha.slice(0, 7)} with ${wanted}`);
  try {
    await world.settings.build?.({ name, context: archive, dockerfile: wanted, args, say });
  } catch (error) {
    throw new BuildFailure(error instanceof Error ? error.message : String(error));
  }
  return name;
}

/** How faults name a deployment: `service/environment/deployment`. */
export function subjectOf(world: World, deployment: Deployment): string {
  const service = world.state.services[deployment.serviceId]?.name ?? "";
  return `${service}/${world.state.environments[deployment.environmentId]?.name ?? ""}/${deployment.id}`;
}
