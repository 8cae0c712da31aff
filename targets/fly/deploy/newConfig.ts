import type { Fly, NewMachine } from "../api/fly";
import { configOf, isThere, metadataOf, type Machine, type MachineConfig } from "../api/types";
import { keepsSchedules, remembered } from "../scheduler/memory";
import type { Attempt } from "./attempt";
import { packBefore } from "./before";
import { previousOf } from "./retire";
import { siblingOf, type GroupSteps, type SlotStep, type Steps } from "./steps";
import { configFor, isProven, slotOf, tag, volumeName, type ReleaseLabels } from "./tags";

/** What a machine of the new version is made of, or changed to. */
export function newMachine(attempt: Attempt, group: GroupSteps, step: SlotStep): Omit<NewMachine, "region"> {
  const { minSecrets } = attempt.release;
  return {
    config: newConfig(attempt, group, step),
    ...(minSecrets === undefined ? {} : { min_secrets_version: minSecrets }),
  };
}

function newConfig(attempt: Attempt, steps: GroupSteps, step: SlotStep): MachineConfig {
  const { group, hashes } = steps;
  const volume = step.volume?.id ?? attempt.release.volumes.get(volumeName(group.name, step.slot));
  const previous = step.act === "update" ? previousOf(step.machine) : undefined;
  const config = configFor(attempt.run.spec.id, group, hashes, {
    slot: step.slot,
    ...releaseOf(attempt, steps, step),
    ...(volume === undefined ? {} : { volume, sizeGb: Math.max(step.volume?.size_gb ?? 0, group.volume?.sizeGb ?? 0) }),
    ...(previous === undefined ? {} : { previous }),
  });
  if (!keepsSchedules(config)) return config;
  const before = step.machine ?? step.retire[0];
  const memory = before === undefined ? {} : remembered(configOf(before), config);
  return { ...config, metadata: { ...config.metadata, ...memory } };
}

/**
 * The steps with those machines as they are now whose programs write down what they did: the deploy's first look may be long
 * ago, and what they wrote since would be overwritten by what it saw.
 */
export async function lookAtWriters(fly: Fly, app: string, steps: Steps): Promise<Steps> {
  const fresh = async (machine: Machine): Promise<Machine> => {
    const now = keepsSchedules(configOf(machine)) ? await fly.machine(app, machine.id) : undefined;
    return now === undefined || !isThere(now) ? machine : now;
  };
  const groups = steps.groups.map(async (group) => ({
    ...group,
    slots: await Promise.all(
      group.slots.map(async (slot) => ({
        ...slot,
        ...(slot.machine === undefined || slot.act === "keep" ? {} : { machine: await fresh(slot.machine) }),
        retire: await Promise.all(slot.retire.map(fresh)),
      })),
    ),
  }));
  return { ...steps, groups: await Promise.all(groups) };
}

/** Which release a machine belongs to, and what a rollback of that goes back to. */
function releaseOf({ run, release }: Attempt, steps: GroupSteps, step: SlotStep): ReleaseLabels {
  const sibling = step.act === "create" ? siblingOf(steps) : undefined;
  if (sibling !== undefined) {
    const {
      [tag.version]: version,
      [tag.deploy]: deploy,
      [tag.record]: record,
      [tag.before]: before,
    } = metadataOf(sibling);
    return { version: Number(version), deploy: deploy ?? run.began, record, before };
  }
  const before = configBefore(steps, step);
  return { version: release.version, deploy: run.began, record: release.record, before };
}

/** What a rollback of this deploy goes back to: of a machine that was proven, or what an unproven one says of it. */
function configBefore({ slots }: GroupSteps, step: SlotStep): string | undefined {
  const replaced = [step, ...slots].flatMap(({ act, machine, retire }) => [
    ...(act === "update" && machine !== undefined ? [machine] : []),
    ...retire,
  ]);
  // Of all its group's the last one tells whether machines may sleep: the first ones never do.
  const [proven] = replaced.filter(isProven).sort((a, b) => slotOf(b) - slotOf(a));
  return proven === undefined
    ? replaced.map((machine) => metadataOf(machine)[tag.before]).find((text) => text !== undefined)
    : packBefore(proven);
}
