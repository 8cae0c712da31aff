import type { Roots } from "../../platform/graphql";
import { environmentOf } from "../access";
import { applyPatch } from "../config";
import { merge, readPatch } from "../patches";
import type { Token } from "../state";
import { page } from "../views/pages";
import { countChanges, viewPatch } from "../views/projects";
import { newId, notAuthorized, refuse, type World } from "../world";

interface Committing {
  readonly environmentId: string;
  readonly commitMessage?: string | null;
}

/** Changes of environments: staged, where everybody's lie together, and committed. */
export function environments(world: World, token: Token): Roots {
  return {
    environmentStagedChanges: ({ environmentId }: { environmentId: string }) => {
      const environment = environmentOf(world, token, environmentId);
      return viewPatch(world, environment, environment.staged);
    },
    environmentPatch: ({ id }: { id: string }) => {
      const found = Object.values(world.state.environments).find((one) => one.patches.some((patch) => patch.id === id));
      if (found === undefined) throw notAuthorized();
      const environment = environmentOf(world, token, found.id);
      return viewPatch(
        world,
        environment,
        environment.patches.find((one) => one.id === id),
      );
    },
    environmentPatches: ({ environmentId, ...args }: { environmentId: string }) => {
      const environment = environmentOf(world, token, environmentId);
      return page(
        environment.patches.map((one) => viewPatch(world, environment, one)),
        args,
      );
    },
    environmentStageChanges: ({
      environmentId,
      input,
      merge: isMerged,
    }: {
      environmentId: string;
      input: unknown;
      merge?: boolean | null;
    }) => {
      const environment = environmentOf(world, token, environmentId);
      const patch = readPatch(input) as Record<string, unknown>;
      const now = world.clock.now();
      const { staged } = environment;
      // null takes something away of the environment once it is committed, so it stays in the patch.
      if (staged !== undefined && isMerged === true)
        Object.assign(staged, { patch: merge(staged.patch, patch, true), updatedAt: now });
      else environment.staged = { id: newId(), patch, status: "STAGED", createdAt: now, updatedAt: now };
      // An empty patch is how staged changes are discarded.
      if (environment.staged !== undefined && countChanges(environment.staged) === 0) delete environment.staged;
      world.store.save();
      return viewPatch(world, environment, environment.staged);
    },
    environmentPatchCommit: async ({ environmentId, patch, commitMessage }: Committing & { patch?: unknown }) => {
      const environment = environmentOf(world, token, environmentId);
      await applyPatch(world, environment, readPatch(patch ?? {}), { message: commitMessage ?? undefined });
      return environment.patches[0]!.id;
    },
    environmentPatchCommitStaged: async ({
      environmentId,
      commitMessage,
      skipDeploys,
    }: Committing & { skipDeploys?: boolean | null }) => {
      const environment = environmentOf(world, token, environmentId);
      const { staged } = environment;
      if (staged === undefined) throw refuse("No patch to commit");
      await applyPatch(world, environment, readPatch(staged.patch), {
        message: commitMessage ?? undefined,
        skipDeploys: skipDeploys ?? false,
      });
      delete environment.staged;
      world.store.save();
      return environment.patches[0]!.id;
    },
  };
}
