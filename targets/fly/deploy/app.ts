import type { FlyAppPlan, FlyAppResult } from "../plan";
import { setSecrets } from "../api/secrets";
import { metadataOf } from "../api/types";
import { lookAgain, type Found } from "./claim";
import { growVolumes } from "./grow";
import { ensureDomains, ensureIps } from "./network";
import { makeVolumes } from "./newVolumes";
import { removeReleases, runRelease } from "./release";
import { explainCapacity } from "./capacity";
import { recorded } from "./record";
import { rollOut } from "./rollout";
import type { Run } from "./run";
import { changesMachines, planSteps, type Steps } from "./steps";
import { withTokens } from "./tokens";
import { hashesOf, isProven, marker, nextVersion, secretsHash, tag } from "./tags";

/**
 * Makes one app of Fly match its plan, with calls that change something only where something differs.
 * @throws DriverError; what ran before runs on
 */
export async function deployApp(run: Run, app: FlyAppPlan, found: Found): Promise<FlyAppResult> {
  const ips = await ensureIps(run, app, found.ips, found.isNew === true);
  const secrets = secretsHash(run.spec.pepper, app.secrets);
  const hashes = new Map(app.groups.map((group) => [group.name, hashesOf(app, group, secrets)]));
  const steps = planSteps(run.spec.id, app, hashes, found);
  let now: Pick<Found, "machines" | "volumes"> = found;
  if (isAsPlanned(steps, found, marker(run.spec.id, secrets))) tellUnhealthy(run, app, found);
  else {
    await change(run, app, steps, found, secrets);
    now = await lookAgain(run, app);
  }
  const dns = await ensureDomains(run, app, ips);
  const machines = Object.fromEntries(
    app.groups.map(({ name }) => [
      name,
      now.machines.filter((machine) => metadataOf(machine)[tag.group] === name).map(({ id }) => id),
    ]),
  );
  return {
    ...addressOf(app),
    ips: ips.map(({ ip }) => ip),
    machines,
    volumes: now.volumes.map(({ id }) => id),
    dns,
  };
}

function addressOf({ name, ips }: FlyAppPlan): { url?: string } {
  if (ips.length === 0) return {};
  return { url: ips.includes("private_v6") ? `http://${name}.flycast` : `https://${name}.fly.dev` };
}

/** Whether there is nothing to be done at all. */
function isAsPlanned(steps: Steps, found: Found, mark: string): boolean {
  return (
    !changesMachines(steps) &&
    !steps.unproven &&
    found.secrets.includes(mark) &&
    steps.groups.every(({ group, slots }) =>
      slots.every(({ machine }) => machine?.cordoned !== true && (group.idle || machine?.state === "started")),
    )
  );
}

async function change(run: Run, app: FlyAppPlan, steps: Steps, found: Found, secrets: string): Promise<void> {
  const minSecrets = await applySecrets(run, app, found.secrets, secrets);
  try {
    const prove = await recorded(run, app, steps, async (record) => {
      await run.leases.take(app.name, touched(steps));
      await growVolumes(run, app.name, steps);
      const volumes = await makeVolumes(run, app, steps, found.volumes);
      const release = steps.groups.find(({ group }) => group.name === app.release?.group);
      if (steps.release && release?.hashes.release !== undefined) {
        await runRelease(run, app, release.group, release.hashes.release, steps.releases, minSecrets);
      } else await removeReleases(run, app.name, steps.releases);
      const version = nextVersion(found.machines, steps, record);
      return rollOut(run, app, steps, { version, record: record?.id, minSecrets, volumes });
    });
    await prove();
  } catch (error) {
    throw explainCapacity(error, app);
  } finally {
    // A run that is being ended can make no call; what it holds is free again within seconds.
    if (!run.isEnding()) await run.leases.dropAll().catch(() => undefined);
  }
}

/** Existing machines that this deploy changes or takes away. */
function touched(steps: Steps): string[] {
  const slots = steps.groups.flatMap(({ group, slots: all }) => all.map((slot) => ({ group, ...slot })));
  const changed = slots.flatMap(({ group, act, machine }) => {
    if (machine === undefined) return [];
    const asItIs = isProven(machine) && machine.cordoned !== true && (group.idle || machine.state === "started");
    return act === "keep" && asItIs ? [] : [machine.id];
  });
  const retired = slots.flatMap(({ retire }) => retire.map(({ id }) => id));
  return [...new Set([...changed, ...retired, ...steps.surplus.map(({ id }) => id)])];
}

/**
 * Sets the secrets where their values aren't these, and takes others away.
 * @returns the version that machines must have; asked for even where nothing changed, as a run before may have been cut off
 *   right after it had set them
 */
async function applySecrets(
  run: Run,
  app: FlyAppPlan,
  names: readonly string[],
  hash: string,
): Promise<number | undefined> {
  const mark = marker(run.spec.id, hash);
  if (names.includes(mark)) {
    return Object.keys(app.secrets).length === 0 ? undefined : setSecrets(run.fly, app.name, { [mark]: "1" });
  }
  const old = names.filter((name) => name !== mark && !Object.hasOwn(app.secrets, name));
  const removed = Object.fromEntries(old.map((name) => [name, null]));
  const values = await withTokens(run, app.secrets);
  const version = await setSecrets(run.fly, app.name, { ...removed, ...values, [mark]: "1" });
  run.changed(`${app.name}: ${Object.keys(app.secrets).length} secrets are set`);
  return version;
}

/** A deploy that changes nothing waits for nothing, but doesn't hide what it sees either. */
function tellUnhealthy(run: Run, app: FlyAppPlan, found: Found): void {
  for (const { name } of app.groups) {
    const members = found.machines.filter((machine) => metadataOf(machine)[tag.group] === name);
    const failing = members.flatMap(({ id, checks }) =>
      (checks ?? []).filter(({ status }) => status === "critical").map((check) => `${id} ${check.name}`),
    );
    if (failing.length > 0) run.tell(`${app.name}: ${name} is as deployed, but fails its check: ${failing.join(", ")}`);
  }
}
