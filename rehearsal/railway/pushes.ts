import ignore from "ignore";
import { deploy } from "./deploying";
import { deployInstance } from "./instances";
import { branchOf, headOf } from "./sources";
import type { Instance } from "./state";
import type { World } from "./world";

/** Whether a commit's changes are among what an instance's watch patterns name. */
async function isWatched(world: World, instance: Instance, from: string | undefined, to: string): Promise<boolean> {
  const { build, source } = instance.config;
  const patterns = build?.watchPatterns ?? [];
  if (patterns.length === 0 || from === undefined || source?.repo === undefined) return true;
  const changed = await world.repositories.changes(source.repo, from, to);
  const watched = ignore().add(patterns);
  return changed.some((path) => watched.ignores(path));
}

/** Commits a folder's state to a repository, and deploys what is connected to its branch. Returns the commit. */
export async function pushed(world: World, name: string, folder: string, branch = "main"): Promise<string> {
  const before = await world.repositories.head(name, branch);
  const commit = await world.repositories.commit(name, folder, branch);
  if (commit === before?.id) return commit;
  for (const instance of Object.values(world.state.instances)) {
    const { autoDeploy, triggerId, config } = instance;
    const isConnected = triggerId !== undefined && autoDeploy && config.source?.repo === name;
    if (!isConnected || branchOf(instance) !== branch) continue;
    if (await isWatched(world, instance, before?.id, commit)) await deployInstance(world, instance, { latest: true });
    else deploy(world, instance, { commit: await headOf(world, instance), isSkipped: true });
  }
  return commit;
}
