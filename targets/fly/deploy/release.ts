import { randomUUID } from "node:crypto";
import { DriverError } from "../../../drivers/error";
import { metadataOf, type Machine, type MachineConfig } from "../api/types";
import type { FlyAppPlan, FlyGroup, FlyRelease } from "../plan";
import { exitOf } from "./health";
import type { Run } from "./run";
import { tag } from "./tags";

/** Metadata that flyctl gives such machines, too. */
const processGroup = "fly_app_release_command";

/** A group's configuration for one run of a command, without what belongs to a service. Pure. */
export function releaseConfig(id: string, group: FlyGroup, release: FlyRelease, hash: string): MachineConfig {
  const { image, env, guest, files } = group.config;
  return {
    image,
    guest,
    env: { ...env, RELEASE_COMMAND: "1", FLY_PROCESS_GROUP: processGroup },
    ...(files === undefined ? {} : { files }),
    init: { entrypoint: ["/bin/sh", "-c"], cmd: [release.command] },
    restart: { policy: "no" },
    // It stays until its exit code was read: one that destroys itself takes that along.
    auto_destroy: false,
    dns: { skip_registration: true },
    metadata: {
      [tag.platform]: "v2",
      [tag.group]: processGroup,
      [tag.owner]: id,
      [tag.role]: "release",
      [tag.release]: hash,
    },
  };
}

/**
 * Runs the release command once on a machine of its own. One that a run left behind is used: the machine tells whether it
 * has ended, and how.
 * @throws DriverError with its last log lines where it fails
 */
export async function runRelease(
  run: Run,
  app: FlyAppPlan,
  group: FlyGroup,
  hash: string,
  left: readonly Machine[],
  minSecrets: number | undefined,
): Promise<void> {
  const { release } = app;
  if (release === undefined) return;
  const { fly, spec } = run;
  const same = left.find((machine) => metadataOf(machine)[tag.release] === hash && !hasFailed(machine));
  await removeReleases(
    run,
    app.name,
    left.filter((machine) => machine !== same),
  );
  const machine =
    same ??
    (await fly.createMachine(app.name, randomUUID(), {
      region: app.region,
      config: releaseConfig(spec.id, group, release, hash),
      skip_service_registration: true,
      ...(minSecrets === undefined ? {} : { min_secrets_version: minSecrets }),
    }));
  run.changed(
    `${app.name}: ${same === undefined ? "runs" : "goes on with"} the release command (machine ${machine.id})`,
  );
  const ended = await waitEnded(run, app.name, machine.id, release.timeoutSeconds);
  const code = exitCode(ended);
  if (code === 0) {
    await removeReleases(run, app.name, [machine]);
    return;
  }
  const line = await run.showLogs(app.name, machine.id);
  await removeReleases(run, app.name, [machine]);
  const ending =
    ended === undefined ? `it ran longer than ${release.timeoutSeconds} s` : `it ended with code ${code ?? "unknown"}`;
  throw new DriverError({
    what: "The release command failed; nothing of the app was switched.",
    where: `${release.command} on machine ${machine.id} of Fly app ${app.name}`,
    why: fly.client.redact(line === undefined ? ending : `${ending}; its last line: ${line}`),
    fix: "mend it, then pulumi up",
  });
}

export async function removeReleases(run: Run, app: string, machines: readonly Machine[]): Promise<void> {
  for (const { id } of machines) await run.fly.destroyMachine(app, id);
}

const endStates = new Set(["stopped", "failed", "destroyed"]);
const hasFailed = (machine: Machine): boolean => endStates.has(machine.state) && exitCode(machine) !== 0;

function exitCode(machine: Machine | undefined): number | undefined {
  const exit = machine === undefined ? undefined : exitOf(machine);
  return exit?.guest_exit_code !== undefined && exit.guest_exit_code !== 0
    ? exit.guest_exit_code
    : (exit?.exit_code ?? exit?.guest_exit_code);
}

/** @returns the machine as it was when its program had ended; undefined where it took too long */
async function waitEnded(run: Run, app: string, id: string, seconds: number): Promise<Machine | undefined> {
  const deadline = run.fly.deadline(seconds + 180, "the release command");
  let seen = false;
  let settle = 0;
  for (let wait = 500; ; wait = Math.min(2000, wait * 1.5)) {
    const machine = await run.fly.machine(app, id);
    if (machine !== undefined && endStates.has(machine.state)) {
      // The event of its end may come a moment after its state.
      if (exitOf(machine) !== undefined || settle++ >= 5) return machine;
    } else if (machine === undefined && seen) {
      return { id, state: "destroyed", region: "" };
    }
    seen ||= machine !== undefined;
    if (!(await run.pause(wait, deadline))) return undefined;
  }
}
