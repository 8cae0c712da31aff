import type { FlyAppPlan, FlyAppResult } from "../plan";
import { metadataOf } from "../api/types";
import { change } from "./change";
import type { Found } from "./claim";
import { ensureDomains, ensureIps } from "./network";
import type { Run } from "./run";
import { areSet, areUnclear, namesNow, removeLeftover } from "./secrets";
import { settled } from "./settled";
import { changesMachines, planSteps, type Steps } from "./steps";
import { hashesOf, marker, secretsHash, tag } from "./tags";

/**
 * Makes one app of Fly match its plan, with calls that change something only where something differs.
 * @throws DriverError; what ran before runs on
 */
export async function deployApp(run: Run, app: FlyAppPlan, claimed: Found): Promise<FlyAppResult> {
  const found = await withMarks(run, app, await settled(run, app, claimed));
  const ips = await ensureIps(run, app, found.ips, found.isNew === true);
  const secrets = secretsHash(run.spec.pepper, app.secrets);
  const hashes = new Map(app.groups.map((group) => [group.name, hashesOf(app, group, secrets)]));
  const mark = marker(run.spec.id, secrets);
  const steps = planSteps(run.spec.id, app, hashes, found);
  let now: Pick<Found, "machines" | "volumes"> = found;
  if (isAsPlanned(steps) && areSet(run, { mark, names: found.secrets })) {
    tellUnhealthy(run, app, found);
    await removeLeftover(run, { app, mark, names: found.secrets });
  } else {
    now = await change(run, { app, hashes, mark }, found);
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

/** Milliseconds after which a list of secrets tells of a change that was made before. */
const listedMs = 3000;

/** With another look where machines have seen secrets and the list doesn't say which: it may be late. */
async function withMarks(run: Run, app: FlyAppPlan, found: Found): Promise<Found> {
  if (found.machines.length === 0 || !areUnclear(run, found.secrets)) return found;
  await run.pause(listedMs);
  return { ...found, secrets: await namesNow(run, app.name) };
}

function addressOf({ name, ips }: FlyAppPlan): { url?: string } {
  if (ips.length === 0) return {};
  return { url: ips.includes("private_v6") ? `http://${name}.flycast` : `https://${name}.fly.dev` };
}

/** Whether nothing is to be done about machines. */
function isAsPlanned(steps: Steps): boolean {
  return (
    !changesMachines(steps) &&
    !steps.unproven &&
    steps.groups.every(({ group, slots }) =>
      slots.every(({ machine }) => machine?.cordoned !== true && (group.idle || machine?.state === "started")),
    )
  );
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
