import { DriverError } from "../../../drivers/error";
import { createOnce } from "../../../drivers/http";
import type { Deploy, Service } from "../api/types";
import type { RenderService } from "../plan";
import type { FoundService } from "./find";
import { applyDisk } from "./disk";
import { strangeHost } from "./hosts";
import { domainsMark, mark, ownDomains, proofText, readProof, specHash, unproven, type Proof } from "./marks";
import { createBody, differences, filesOf, listOf, patchOf, type Place } from "./requests";
import type { Run } from "./run";
import { applyScale } from "./scale";
import { undoLater, type Undo } from "./undo";
import { awaitLive, startDeploy } from "./wait";

/** Seconds that a new service may take to be listed. A second one of its name is refused. */
const listedSeconds = 30;

/**
 * Brings one service to its plan: settings, variables, secret files, scale, disk, domains, and then the one deploy that all
 * of it takes. The disk comes as late as may be: until the deploy the old version may be started again, and look for its data.
 * @param service with its tokens filled
 */
export async function applyService(
  run: Run,
  service: RenderService,
  place: Place,
  found: FoundService | undefined,
  undos: Undo[],
): Promise<Service> {
  const hash = specHash(run.spec.pepper, service);
  const domains = found === undefined ? service.domains : ownDomains(found.env);
  const wanted = { ...service.env, [mark.owner]: run.spec.id, [mark.spec]: hash, ...domainsMark(domains) };
  if (found === undefined) return create(run, service, place, { ...wanted, [mark.run]: run.id }, hash);
  const proven = found.env[mark.proven];
  const env = withoutRun(found.env);
  const proof = readProof(found.env);
  const undo = undoLater(service, found, undos);
  const isNew = await change(run, service, place, found, { wanted, env }, undo);
  const begins = (newest: Deploy | undefined): void => {
    undo.began = { after: newest };
  };
  // A run that was cut off and is gone on with has its own version live already, where it came that far.
  const previous = (): string | undefined =>
    proof?.run === run.id ? proof.previous : (proof?.deploy ?? liveId(undo.began?.after));
  if (found.service.suspended === "suspended") {
    const deploy = await resume(run, service, found, begins);
    await finish(run, service, found.service, deploy.id, { hash, previous: previous() });
    run.changed(`${service.name}: resumed`);
    return found.service;
  }
  const first = isNew || proven !== undefined ? undefined : await onlyDeploy(run, found.service.id);
  if (isNew || (proof?.hash !== hash && first === undefined)) {
    const deploy = await startDeploy(run, service, found.service.id, begins);
    await finish(run, service, found.service, deploy.id, { hash, previous: previous() });
    run.changed(`${service.name}: deployed`);
  } else if (first !== undefined) {
    await finish(run, service, found.service, first.id, { hash });
    run.changed(`${service.name}: its first deploy, which was begun before, is live`);
  }
  return found.service;
}

async function create(
  run: Run,
  service: RenderService,
  place: Place,
  env: Record<string, string>,
  hash: string,
): Promise<Service> {
  const { render } = run;
  const deadline = render.deadline(180, `${service.name} to be made`);
  const body = createBody(run.spec, service, place, env);
  const made = await createOnce(render.client, {
    create: async () => (await render.call<{ service: Service }>("POST", "/services", { body, deadline })).service,
    find: async () => (await render.services(place.ownerId, { name: service.name }))[0],
    deadline,
    lookSeconds: listedSeconds,
  });
  const strange = strangeHost(run.spec, service, made);
  if (strange !== undefined) {
    // Nobody has used it yet, and its name is no good.
    await render.remove(`/services/${made.id}`);
    const what = `${service.name} can't be reached where the app says that it is. It was deleted again.`;
    throw new DriverError({ what, where: service.name, ...strange });
  }
  run.changed(`${service.name}: made`);
  const first = await run.poll(deadline, async () => (await render.deploys(made.id, 1))[0]);
  await finish(run, service, made, first.id, { hash });
  return made;
}

/**
 * The only deploy of a service that was never live: its creation began it, with all that the service was made with. Killed
 * after that, it is waited for and not begun again; one that has failed is.
 */
async function onlyDeploy({ render }: Run, id: string): Promise<Deploy | undefined> {
  const [first, second] = await render.deploys(id, 2);
  const isOpen = first !== undefined && !/failed|canceled/.test(first.status);
  return isOpen && second === undefined ? first : undefined;
}

/** Ends a service's suspension, which deploys it. */
async function resume(
  run: Run,
  service: RenderService,
  { service: { id }, env }: FoundService,
  begins: (newest: Deploy | undefined) => void,
): Promise<Deploy> {
  const { render } = run;
  const deadline = render.deadline(180, `${service.name} to be resumed`);
  const [before] = await render.deploys(id, 1);
  begins(before);
  // Not live from here on, whatever it was: a run that ends in between leaves that to the next one.
  await render.call("PUT", `/services/${id}/env-vars/${mark.proven}`, { body: { value: unproven(env) } });
  await createOnce<unknown>(render.client, {
    create: () => render.call("POST", `/services/${id}/resume`, { deadline }),
    find: async () => {
      const { suspended } = await render.call<Service>("GET", `/services/${id}`, { deadline });
      return suspended === "suspended" ? undefined : true;
    },
    deadline,
  });
  return run.poll(deadline, async () => {
    const [newest] = await render.deploys(id, 1);
    return newest?.id === before?.id ? undefined : newest;
  });
}

/** What is compared with the plan: neither of these is part of it. */
const withoutRun = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => name !== mark.run && name !== mark.proven));

/** A deploy's id, where it is the live one. */
const liveId = (deploy: Deploy | undefined): string | undefined => (deploy?.status === "live" ? deploy.id : undefined);

/** Waits for a deploy, and for another one where it took what the branch has by now. Marks what is live. */
async function finish(
  run: Run,
  service: RenderService,
  found: Service,
  deployId: string,
  proof: Pick<Proof, "hash" | "previous">,
): Promise<void> {
  const { code, type, name } = service;
  let live = await awaitLive(run, service, found, deployId);
  const isOther = code.kind === "repository" && live.commit?.id !== code.commit;
  if (isOther && type === "cron_job") {
    const built = live.commit?.id.slice(0, 12) ?? "its branch";
    run.changed(
      `${name}: has ${built}, as the branch has moved and a cron job takes no commit; the next up brings the rest`,
    );
  } else if (isOther) {
    run.tell(`${name}: the branch has moved, so the planned commit is deployed`);
    live = await awaitLive(run, service, found, (await startDeploy(run, service, found.id)).id);
  }
  const body = { value: proofText({ ...proof, run: run.id, deploy: live.id }) };
  await run.render.call("PUT", `/services/${found.id}/env-vars/${mark.proven}`, { body });
}

const same = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([name, value]) => other[name] === value);

/** Makes the calls that lack. @returns whether what they changed takes a deploy */
async function change(
  run: Run,
  service: RenderService,
  place: Place,
  found: FoundService,
  variables: { readonly wanted: Record<string, string>; readonly env: Readonly<Record<string, string>> },
  undo: Undo,
): Promise<boolean> {
  const { render } = run;
  const { id } = found.service;
  const path = `/services/${id}`;
  const other = differences(service, found.service);
  let isNew = false;
  if (other.length > 0) {
    undo.isNeeded = true;
    await render.call("PATCH", path, { body: patchOf(service, place.ownerId), idempotent: true });
    run.changed(`${service.name}: ${other.join(", ")} changed`);
    isNew = other.some((name) => !["automatic deploys", "allowed addresses", "branch"].includes(name));
  }
  if (!same(variables.wanted, variables.env)) {
    undo.isNeeded = true;
    // Never without it: that is how a service looks whose creation began its only deploy.
    const proven = found.env[mark.proven] ?? unproven({});
    const body = listOf({ ...variables.wanted, [mark.run]: run.id, [mark.proven]: proven });
    await render.call("PUT", `${path}/env-vars`, { body });
    isNew = true;
  }
  if (!same(service.files, found.files)) {
    undo.isNeeded = true;
    await render.call("PUT", `${path}/secret-files`, { body: filesOf(service.files) });
    isNew = true;
  }
  await applyScale(run, service, found.service, undo);
  return (await applyDisk(run, service, found.service, undo)) || isNew;
}
