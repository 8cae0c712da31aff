import { createOnce, isUnknown } from "../../../drivers/http";
import type { Deployment } from "../api/types";
import type { RailwayService } from "../plan";
import type { Place } from "./find";
import { look } from "./look";
import type { Run } from "./run";
import { writeState, type RecordedService, type State, type Version } from "./state";
import { healthy, type Step } from "./steps";
import { lookWhenEnded, showLogs, waitHealthy, type Awaited, type Failed } from "./wait";

/** Seconds that a build and a release command may take, on top of a service's own time to start. */
const buildSeconds = 20 * 60;

/** What is written down of each service while it is deployed. */
type Book = Record<string, RecordedService>;

/** Deploys what has changed: first what others connect to, then the rest, all of them side by side. */
export class Rollout {
  constructor(
    private readonly run: Run,
    private readonly place: Place,
    private readonly ids: ReadonlyMap<string, string>,
    private readonly book: Book,
  ) {}

  /** @throws DriverError with the last lines of what failed, after what ran before runs again */
  async go(steps: readonly Step[]): Promise<void> {
    const due = steps.filter(({ act }) => act.deploy !== "none");
    const done: Step[] = [];
    for (const phase of [due.filter(({ service }) => service.first), due.filter(({ service }) => !service.first)]) {
      if (phase.length === 0) continue;
      done.push(...phase);
      const started = await this.start(phase);
      const failed = await waitHealthy(this.run, started);
      if (failed !== undefined) await this.fail(failed, done);
      for (const step of phase) this.prove(step);
    }
    if (due.length > 0) await this.write();
  }

  /** Starts deployments, and writes down which they are before they are waited for. */
  private async start(phase: readonly Step[]): Promise<Awaited[]> {
    const started: Awaited[] = [];
    let isNew = false;
    for (const step of phase) {
      const { service, act, recorded } = step;
      const resumed = act.deploy === "resume" ? recorded?.pending?.deployment : undefined;
      const deployment = resumed ?? (await this.deploy(step));
      isNew ||= resumed === undefined;
      this.run.changed(`${service.name}: ${resumed === undefined ? "is deployed" : "goes on with its deploy"}`);
      this.record(service.name, { pending: { spec: step.spec, deployment } });
      started.push({
        name: service.name,
        deployment,
        seconds: buildSeconds + service.startSeconds,
        unchecked: isUnchecked(service),
      });
    }
    if (isNew) await this.write();
    return started;
  }

  private async deploy({ service, instance }: Step): Promise<string> {
    const { railway } = this.run;
    const { environmentId } = this.place;
    const serviceId = this.ids.get(service.name);
    const before = instance?.latestDeployment?.id;
    const deadline = railway.deadline(180, `a deploy of ${service.name} to start`);
    const commitSha = "commit" in service.source ? { commitSha: service.source.commit } : {};
    return createOnce<string>(railway.client, {
      deadline,
      create: async () => {
        for (;;) {
          try {
            const answer = await railway.make<{ serviceInstanceDeployV2: string }>(
              `mutation Deploy($serviceId: String!, $environmentId: String!, $commitSha: String) {
                serviceInstanceDeployV2(serviceId: $serviceId, environmentId: $environmentId, commitSha: $commitSha)
              }`,
              { serviceId, environmentId, ...commitSha },
              { deadline },
            );
            return answer.serviceInstanceDeployV2;
          } catch (error) {
            // Railway wants an earlier deploy's build to end first (railwayapp/cli, issue 640).
            const isBusy = error instanceof Error && /cannot redeploy yet/i.test(error.message) && !isUnknown(error);
            if (!isBusy || !(await this.run.pause(10_000, deadline))) throw error;
          }
        }
      },
      find: async () => {
        const latest = (await look(this.run, this.place)).instances.get(serviceId ?? "")?.latestDeployment;
        return latest === null || latest === undefined || latest.id === before ? undefined : latest.id;
      },
    });
  }

  /** What was pending is the version that runs; the one before it is what a rollback brings back. */
  private prove({ service }: Step): void {
    const { pending, previous, spec, deployment, ...rest } = this.book[service.name] ?? { id: "" };
    if (pending === undefined) return;
    const old: Version | undefined =
      spec === undefined || deployment === undefined || deployment === pending.deployment
        ? previous
        : { spec, deployment };
    this.book[service.name] = { ...rest, ...pending, ...(old === undefined ? {} : { previous: old }) };
  }

  private record(name: string, change: Partial<RecordedService>): void {
    this.book[name] = { ...(this.book[name] ?? { id: this.ids.get(name) ?? "" }), ...change };
  }

  /** Writes down that the version before is the one that counts. */
  private unrecord(name: string, before: RecordedService | undefined): void {
    const { id, volumeMb, domain, tcpPort } = this.book[name] ?? { id: this.ids.get(name) ?? "" };
    this.book[name] = {
      id,
      ...(volumeMb === undefined ? {} : { volumeMb }),
      ...(domain === undefined ? {} : { domain }),
      ...(tcpPort === undefined ? {} : { tcpPort }),
      ...versionsOf(before),
    };
  }

  private write(): Promise<void> {
    const state: State = { app: this.run.spec.id, services: this.book };
    return writeState(this.run.railway, this.place, state);
  }

  /** Brings all that this run has deployed back to what ran before, and says what failed. */
  private async fail(failed: Failed, done: readonly Step[]): Promise<never> {
    const { run } = this;
    run.tell(`${failed.name}: ${failed.why}`);
    const line = await showLogs(run, failed);
    const back = await this.restore(done);
    throw run.error(
      `${failed.name} didn't get healthy${back.length === 0 ? "." : `; ${back.join(", ")} ${back.length === 1 ? "is" : "are"} back at the version before.`}`,
      line === undefined ? failed.why : `${failed.why}; its last line: ${line}`,
      "mend it, then pulumi up",
    );
  }

  /** @returns names of the services of which the version before runs */
  private async restore(done: readonly Step[]): Promise<string[]> {
    const { run } = this;
    const pending = done.flatMap(({ service: { name } }) => {
      const deployment = this.book[name]?.pending?.deployment ?? this.book[name]?.deployment;
      const before = done.find((step) => step.service.name === name)?.recorded;
      return deployment === undefined ? [] : [{ name, deployment, before }];
    });
    const ids = pending.flatMap(({ deployment, before }) => [
      deployment,
      ...(before?.deployment ? [before.deployment] : []),
    ]);
    const longest = Math.max(
      ...done.map(({ service: { settings } }) => settings.overlapSeconds + settings.drainingSeconds),
    );
    const now = await lookWhenEnded(run, [...new Set(ids)], longest + 60);
    const back: string[] = [];
    const again: Awaited[] = [];
    for (const { name, deployment, before } of pending) {
      const current = now.get(deployment);
      const isOpen =
        current !== undefined && !healthy.has(current.status) && !/FAILED|CRASHED|REMOV|SKIPPED/.test(current.status);
      if (isOpen)
        await run.railway.ask("mutation Cancel($id: String!) { deploymentCancel(id: $id) }", { id: deployment });
      const old = before?.deployment === undefined ? undefined : now.get(before.deployment);
      this.unrecord(name, before);
      if (old === undefined) continue;
      if (isServing(old)) {
        back.push(name);
        continue;
      }
      const restored = await this.rollBack(name, old, deployment);
      if (restored === undefined) {
        run.tell(`${name}: Railway doesn't keep the version before any more; it can't be brought back`);
        continue;
      }
      // What the rollback has set isn't known for certain, so the next deploy sets everything.
      this.record(name, { deployment: restored, settings: "" });
      const step = done.find((one) => one.service.name === name);
      again.push({
        name,
        deployment: restored,
        seconds: buildSeconds,
        unchecked: step === undefined || isUnchecked(step.service),
      });
    }
    const late = await waitHealthy(run, again);
    await this.write();
    if (late !== undefined) run.tell(`${late.name}: the version before doesn't get healthy, either: ${late.why}`);
    return [...back, ...again.filter(({ name }) => name !== late?.name).map(({ name }) => name)];
  }

  /** @returns the deployment that brings it back; undefined where Railway can't */
  private rollBack(name: string, to: Deployment, from: string): Promise<string | undefined> {
    return rollBack(this.run, this.place, { name, serviceId: this.ids.get(name) ?? "" }, to, from);
  }
}

/** Railway makes a new deployment of an old one's image, settings and variables (docs.railway.com/reference/deployments). */
export async function rollBack(
  run: Run,
  place: Place,
  service: { readonly name: string; readonly serviceId: string },
  to: Deployment,
  from: string,
): Promise<string | undefined> {
  if (to.canRollback !== true) return undefined;
  const { railway } = run;
  const deadline = railway.deadline(180, `${service.name} to go back`);
  const find = async (): Promise<string | undefined> => {
    const latest = (await look(run, place)).instances.get(service.serviceId)?.latestDeployment;
    return latest === null || latest === undefined || latest.id === from ? undefined : latest.id;
  };
  await createOnce<unknown>(railway.client, {
    deadline,
    create: () =>
      railway.make("mutation RollBack($id: String!) { deploymentRollback(id: $id) }", { id: to.id }, { deadline }),
    find,
  });
  run.changed(`${service.name}: goes back to the version before`);
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (!(await run.pause(2000, deadline))) return undefined;
  }
}

/** Which version ran before, as it is written down. */
function versionsOf(recorded: RecordedService | undefined): Partial<RecordedService> {
  if (recorded?.spec === undefined || recorded.deployment === undefined) return {};
  const { spec, deployment, settings = "", previous } = recorded;
  return { spec, deployment, settings, ...(previous === undefined ? {} : { previous }) };
}

/** Whether a deployment still answers, as Railway ends it only once its successor is healthy. */
const isServing = ({ status, deploymentStopped }: Deployment): boolean =>
  healthy.has(status) && deploymentStopped !== true;

const isUnchecked = ({ settings }: RailwayService): boolean =>
  settings.healthcheckPath === null && settings.cronSchedule === null;
