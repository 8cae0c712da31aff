import type { HostPlan } from "../plan";
import { containerRun } from "./containerProgram";
import { slice } from "./names";
import type { Place } from "./place";
import { inRelease, processSettings } from "./processProgram";
import { ensureNetwork } from "./serviceUnit";
import { execLine, type Setting } from "./unitText";

/** Something that runs to its end with a service's version: a job, a release step. */
export interface OneShot {
  /** Shell text. */
  readonly shell: string;
  /** Of the journal's lines and of a container. */
  readonly name: string;
  /** Names of all variables in the place's file. */
  readonly variables: readonly string[];
  readonly timeoutSeconds: number;
}

/**
 * The `[Service]` part. A oneshot is "activating" while it runs, and systemd starts no unit twice: a timer that elapses
 * meanwhile, or a person's `systemctl start`, joins the run that is there. So there is no overlap, without any lock. Its
 * time limit is `TimeoutStartSec=`, as `RuntimeMaxSec=` doesn't apply (systemd.service(5)); it counts per `ExecStart=`,
 * which is why several commands are one script.
 */
export function oneShotSettings(plan: HostPlan, place: Place, shot: OneShot): readonly Setting[] {
  return [
    ["Type", "oneshot"],
    ...program(plan, place, shot),
    ["SyslogIdentifier", shot.name],
    ["TimeoutStartSec", String(shot.timeoutSeconds)],
    ["TimeoutStopSec", "30"],
  ];
}

function program(plan: HostPlan, place: Place, { shell, name, variables }: OneShot): readonly Setting[] {
  if (!("image" in place.service.code)) {
    return [
      ["ExecStart", execLine(["/bin/bash", "-c", inRelease(place, shell)])],
      ...processSettings(plan, place, [place.envFile]),
    ];
  }
  return [
    ["ExecStartPre", ensureNetwork(plan)],
    ["ExecStart", execLine(containerRun(plan, place, { name, variables, publish: false, shell }))],
    ["EnvironmentFile", place.envFile],
    ["Slice", slice(plan)],
  ];
}
