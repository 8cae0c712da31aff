import { createOnce } from "../../../drivers/http";
import { DriverError } from "../../../drivers/error";
import { deployEnded, deploySucceeded, type Deploy, type Service } from "../api/types";
import type { RenderService } from "../plan";
import type { Run } from "./run";

const shownLines = 20;

/**
 * Starts a deploy, once. A call that isn't answered with one (it waits for another) is looked for in the list.
 * @param begins is told the newest deploy of before, as soon as another one may have begun
 */
export async function startDeploy(
  run: Run,
  service: RenderService,
  id: string,
  begins: (newest: Deploy | undefined) => void = () => undefined,
): Promise<Deploy> {
  const { render } = run;
  const deadline = render.deadline(180, `a deploy of ${service.name} to begin`);
  const [before] = await render.deploys(id, 1);
  const find = async (): Promise<Deploy | undefined> => {
    const [newest] = await render.deploys(id, 1);
    return newest?.id === before?.id ? undefined : newest;
  };
  begins(before);
  const { code, type } = service;
  // A cron job's deploy takes no commit: it follows its branch.
  const body = code.kind === "repository" && type !== "cron_job" ? { commitId: code.commit } : {};
  const made = await createOnce(render.client, {
    create: () => render.call<Deploy | undefined>("POST", `/services/${id}/deploys`, { body, deadline }),
    find,
    deadline,
  });
  return made ?? (await run.poll(deadline, find));
}

/** Waits until a deploy is through. @throws DriverError with the last lines of the log where it failed */
export async function awaitLive(run: Run, service: RenderService, found: Service, deployId: string): Promise<Deploy> {
  const { render } = run;
  const deadline = render.deadline(service.deploySeconds, `the deploy of ${service.name}`);
  let shown = "";
  const deploy = await run.poll(deadline, async () => {
    const read = await render.deploy(found.id, deployId, deadline);
    if (read.status !== shown) run.tell(`${service.name}: ${read.status.replaceAll("_", " ")}`);
    shown = read.status;
    return deployEnded(read.status) ? read : undefined;
  });
  if (deploySucceeded(deploy.status)) return deploy;
  const last = await showLogs(run, found, deploy);
  throw new DriverError({
    what: `The new version of ${service.name} doesn't get live: ${deploy.status.replaceAll("_", " ")}.`,
    where: `${service.name}, ${found.dashboardUrl}/deploys/${deploy.id}`,
    why: last ?? "Render doesn't say why",
    fix: `mend it, then pulumi up; homeport logs APP ${service.part} shows more`,
  });
}

/** Shows what was logged since a deploy began. @returns the last line with words; a failure to read is no failure */
async function showLogs(run: Run, found: Service, deploy: Deploy): Promise<string | undefined> {
  const query = { ownerId: found.ownerId, resource: found.id, startTime: deploy.createdAt, limit: shownLines };
  const page = await run.render.logs({ ...query, direction: "backward" }).catch(() => undefined);
  // Each line by itself: the API's own order is newest first.
  const lines = (page?.logs ?? []).map(({ message }) => run.render.client.redact(message)).reverse();
  for (const line of lines) run.tell(`  ${line}`);
  return lines.filter((line) => /\w/.test(line) && !line.startsWith("==>")).at(-1) ?? lines.at(-1);
}
