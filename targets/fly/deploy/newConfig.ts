import type { NewMachine } from "../api/fly";
import { metadataOf, type MachineConfig } from "../api/types";
import type { Attempt } from "./attempt";
import { packBefore } from "./before";
import { previousOf } from "./retire";
import type { GroupSteps, SlotStep, Steps } from "./steps";
import { configFor, isProven, tag, volumeName } from "./tags";

/** What a machine of the new version is made of, or changed to. */
export function newMachine(attempt: Attempt, group: GroupSteps, step: SlotStep): Omit<NewMachine, "region"> {
  const { minSecrets } = attempt.release;
  return {
    config: newConfig(attempt, group, step),
    ...(minSecrets === undefined ? {} : { min_secrets_version: minSecrets }),
  };
}

function newConfig({ run, steps, release }: Attempt, { group, hashes }: GroupSteps, step: SlotStep): MachineConfig {
  const volume = step.volume?.id ?? release.volumes.get(volumeName(group.name, step.slot));
  const previous = step.act === "update" ? previousOf(step.machine) : undefined;
  const before = configBefore(steps, group.name, step);
  return configFor(run.spec.id, group, hashes, {
    slot: step.slot,
    version: release.version,
    deploy: run.began,
    ...(release.record === undefined ? {} : { record: release.record }),
    ...(volume === undefined ? {} : { volume, sizeGb: Math.max(step.volume?.size_gb ?? 0, group.volume?.sizeGb ?? 0) }),
    ...(previous === undefined ? {} : { previous }),
    ...(before === undefined ? {} : { before }),
  });
}

/** What a rollback of this deploy goes back to: of a machine that was proven, or what an unproven one says of it. */
function configBefore(steps: Steps, name: string, step: SlotStep): string | undefined {
  const members = steps.groups.find(({ group }) => group.name === name)?.slots ?? [];
  const replaced = [step, ...members].flatMap(({ act, machine, retire }) => [
    ...(act === "update" && machine !== undefined ? [machine] : []),
    ...retire,
  ]);
  const proven = replaced.find(isProven);
  return proven === undefined
    ? replaced.map((machine) => metadataOf(machine)[tag.before]).find((text) => text !== undefined)
    : packBefore(proven);
}
