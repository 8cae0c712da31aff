import { DriverError } from "../../drivers/error";
import type { Deploy, Service } from "./api/types";
import { endDeploys } from "./deploy/cancel";
import { mark, proofText, readProof, type Proof } from "./deploy/marks";
import type { Run } from "./deploy/run";
import { awaitLive } from "./deploy/wait";
import type { Placed } from "./operations";
import type { RenderService } from "./plan";

type AsPlanned = (part: string, service: Service) => RenderService;

/** A service with what is known to be live of it. */
interface Seen extends Placed {
  readonly proof: Proof | undefined;
}

/** One that the last deploy changed, and that has a version from before it. */
interface Changed extends Placed {
  readonly proof: Proof & { readonly previous: string };
}

/**
 * Brings the services back that the last deploy changed, each to what was live before that one. The others stay, and cron jobs,
 * too: Render builds those from their branch. Variables are those of now. All are marked, so that the next `up` deploys what is
 * declared.
 * @returns a line for each that went back
 * @throws DriverError where there is nothing to go back to, or a version from before doesn't get live: then all are as they were
 */
export async function rollBack(
  run: Run,
  all: readonly Placed[],
  asPlanned: AsPlanned,
  progress: (line: string) => void,
): Promise<readonly string[]> {
  const seen = await Promise.all(
    all.map(async (one): Promise<Seen> => ({ ...one, proof: readProof(await run.render.variables(one.service.id)) })),
  );
  const last = seen
    .map(({ proof }) => proof?.run ?? "")
    .sort()
    .at(-1);
  const changed = seen.flatMap(({ part, service, proof }): Changed[] => {
    if (proof?.previous === undefined || proof.run !== last || service.type === "cron_job") return [];
    return [{ part, service, proof: { ...proof, previous: proof.previous } }];
  });
  if (changed.length === 0) throw nothingBefore(seen);
  for (const { part } of seen.filter((one) => changed.every(({ part }) => part !== one.part)))
    progress(`${part}: stays as it is, as the last deploy didn't change it, or made it, or it is a cron job`);
  const done: Changed[] = [];
  const lines: string[] = [];
  for (const one of changed) {
    try {
      lines.push(await goBack(run, one, asPlanned, progress));
      done.push(one);
    } catch (error) {
      if (run.isEnding()) throw error;
      for (const back of done.reverse()) await goForward(run, back, asPlanned, progress);
      throw error;
    }
  }
  return lines;
}

async function goBack(
  run: Run,
  { part, service, proof }: Changed,
  asPlanned: AsPlanned,
  progress: (line: string) => void,
): Promise<string> {
  const { render } = run;
  const { deploy, previous } = proof;
  const before = await render.call<Deploy>("GET", `/services/${service.id}/deploys/${previous}`);
  progress(`${part}: goes back to ${before.commit?.id.slice(0, 12) ?? before.image?.ref ?? before.id}`);
  const [newest] = await render.deploys(service.id, 1);
  // Before the deploy: a run that ends in between leaves nothing that looks as declared.
  await setProof(run, service, { ...proof, hash: "none" });
  const planned = asPlanned(part, service);
  try {
    await deployAgain(run, planned, service, previous);
  } catch (error) {
    // The version of now runs on, unless the other one gets live late.
    if (!run.isEnding() && (await endDeploys(run, planned, service.id, newest))) await setProof(run, service, proof);
    throw error;
  }
  // What went back goes forward again by another rollback.
  await setProof(run, service, { hash: "none", run: proof.run, deploy: previous, previous: deploy });
  return `${part}: back to the version of ${before.createdAt}, with the variables of now`;
}

/** Undoes what went back, as another service didn't. A failure is told: the others are to be undone, too. */
async function goForward(
  run: Run,
  { part, service, proof }: Changed,
  asPlanned: AsPlanned,
  progress: (line: string) => void,
): Promise<void> {
  try {
    if (proof.deploy === undefined) throw new Error("nothing is known of the version that ran");
    await deployAgain(run, asPlanned(part, service), service, proof.deploy);
    await setProof(run, service, proof);
    progress(`${part}: is as it was`);
  } catch (error) {
    progress(`${part}: stays at the version from before: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Deploys what an older deploy built, and waits until it is live. */
async function deployAgain(run: Run, planned: RenderService, service: Service, deployId: string): Promise<void> {
  const path = `/services/${service.id}/rollback`;
  // Asked for twice it is live all the same.
  const back = await run.render.call<Deploy>("POST", path, { body: { deployId }, idempotent: true });
  await awaitLive(run, planned, service, back.id);
}

async function setProof({ render }: Run, { id }: Service, proof: Proof): Promise<void> {
  await render.call("PUT", `/services/${id}/env-vars/${mark.proven}`, { body: { value: proofText(proof) } });
}

const nothingBefore = (seen: readonly Seen[]): DriverError =>
  new DriverError({
    what: "There is no version to go back to.",
    where: seen.length === 0 ? "Render" : seen.map(({ service }) => service.name).join(", "),
    why: "nothing tells of a version before the last deploy: it made these services, or cron jobs alone were changed by it",
    fix: "deploy the code of before: pulumi up with its commit",
  });
