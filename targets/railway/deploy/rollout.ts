import { DriverError } from "../../../drivers/error";
import { createOnce, isUnknown } from "../../../drivers/http";
import type { Deployment } from "../api/types";
import type { RailwayService } from "../plan";
import type { Place } from "./find";
import type { Ledger } from "./ledger";
import { look } from "./look";
import type { Run } from "./run";
import type { RecordedService, Version } from "./state";
import { healthy, underWay, type Step } from "./steps";
import { lookWhenEnded, showLogs, waitHealthy, type Awaited, type Failed } from "./wait";

/** Seconds that a build and a release command may take, on top of a service's own time to start. */
const buildSeconds = 20 * 60;

/** Deploys what has changed: first what others connect to, then the rest, all of them side by side. */
export class Rollout {
  /** The deployments that this run waits for or has waited for, by service. */
  private readonly started = new Map<string, string>();

  constructor(
    private readonly run: Run,
    private readonly place: Place,
    private readonly ids: ReadonlyMap<string, string>,
    private readonly ledger: Ledger,
  ) {}

  /** @throws DriverError with the last lines of what failed, after what ran before runs again */
  async go(steps: readonly Step[]): Promise<void> {
    const { ledger } = this;
    const due = steps.filter(({ act }) => act.deploy !== "none");
    if (due.length === 0) return;
    const before = ledger.deploying;
    // What a run that was cut off has deployed belongs to the same version.
    ledger.deploying = [...new Set([...before, ...due.map(({ service }) => service.name)])];
    for (const phase of [due.filter(({ service }) => service.first), due.filter(({ service }) => !service.first)]) {
      if (phase.length === 0) continue;
      const failed = await waitHealthy(this.run, await this.start(phase, due, before));
      if (failed !== undefined) await this.fail(failed, due, before);
      for (const step of phase) this.prove(step);
    }
    ledger.deployed = ledger.deploying;
    ledger.deploying = [];
    ledger.release();
    await ledger.write();
  }

  /** Starts deployments, and writes down each before the next, so that none is forgotten. */
  private async start(phase: readonly Step[], due: readonly Step[], deploying: readonly string[]): Promise<Awaited[]> {
    const awaited: Awaited[] = [];
    for (const step of phase) {
      const { service, act, recorded } = step;
      const resumed = act.deploy === "resume" ? recorded?.pending?.deployment : undefined;
      try {
        const deployment = resumed ?? (await this.deploy(step));
        this.started.set(service.name, deployment);
        this.run.changed(`${service.name}: ${resumed === undefined ? "is deployed" : "goes on with its deploy"}`);
        this.record(service.name, { pending: { spec: step.spec, deployment } });
        awaited.push({
          name: service.name,
          deployment,
          seconds: buildSeconds + service.startSeconds,
          unchecked: isUnchecked(service),
        });
        if (resumed === undefined) await this.ledger.write();
      } catch (error) {
        if (isUnknown(error)) await this.findBegun(step);
        await this.giveUp(service.name, error, due, deploying);
      }
    }
    return awaited;
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
      find: () => this.latest(serviceId ?? "", before),
    });
  }

  /** A service's deployment, where it is another one than before. */
  private async latest(serviceId: string, before: string | undefined): Promise<string | undefined> {
    const latest = (await look(this.run, this.place)).instances.get(serviceId)?.latestDeployment;
    return latest === null || latest === undefined || latest.id === before ? undefined : latest.id;
  }

  /** A deployment whose id got lost with its answer is to be undone as well. */
  private async findBegun({ service: { name }, instance }: Step): Promise<void> {
    const { run } = this;
    const begun = await this.latest(this.ids.get(name) ?? "", instance?.latestDeployment?.id).catch(
      (error: unknown) => {
        if (run.isEnding()) throw error;
        return undefined;
      },
    );
    if (begun !== undefined) this.started.set(name, begun);
  }

  /** What was pending is the version that runs; the one before it is what a rollback brings back. */
  private prove({ service }: Step): void {
    const { pending, previous, spec, deployment, ...rest } = this.ledger.services[service.name] ?? { id: "" };
    if (pending === undefined) return;
    const old: Version | undefined =
      spec === undefined || deployment === undefined || deployment === pending.deployment
        ? previous
        : { spec, deployment };
    this.ledger.services[service.name] = { ...rest, ...pending, ...(old === undefined ? {} : { previous: old }) };
  }

  private record(name: string, change: Partial<RecordedService>): void {
    const { services } = this.ledger;
    services[name] = { ...(services[name] ?? { id: this.ids.get(name) ?? "" }), ...change };
  }

  /** Writes down that the version before is the one that counts. */
  private unrecord(name: string, before: RecordedService | undefined): void {
    const { id, volumeMb, domain, tcpPort } = this.ledger.services[name] ?? { id: this.ids.get(name) ?? "" };
    this.ledger.services[name] = {
      id,
      ...(volumeMb === undefined ? {} : { volumeMb }),
      ...(domain === undefined ? {} : { domain }),
      ...(tcpPort === undefined ? {} : { tcpPort }),
      ...versionsOf(before),
    };
  }

  /** Brings all that this run has deployed back to what ran before, and says what failed. */
  private async fail(failed: Failed, due: readonly Step[], deploying: readonly string[]): Promise<never> {
    const { run } = this;
    run.tell(`${failed.name}: ${failed.why}`);
    const line = await showLogs(run, failed);
    const back = await this.putBack(due, deploying);
    throw run.error(
      `${failed.name} didn't get healthy${back}`,
      line === undefined ? failed.why : `${failed.why}; its last line: ${line}`,
      "mend it, then pulumi up",
    );
  }

  /** The same where a deployment couldn't even be started: the others of this run would be half a version. */
  private async giveUp(
    name: string,
    error: unknown,
    due: readonly Step[],
    deploying: readonly string[],
  ): Promise<never> {
    const { run } = this;
    if (run.isEnding() || !(error instanceof DriverError)) throw error;
    const { what, why, fix } = error.parts;
    run.tell(`${name}: ${what} ${why}`);
    const back = await this.putBack(due, deploying);
    throw run.error(`${name} couldn't be deployed${back} ${what}`, why, fix);
  }

  /**
   * Undoes this run's deployments and writes down what counts now. Nothing that goes wrong here hides why it was called.
   * @returns the end of a sentence about what failed
   */
  private async putBack(due: readonly Step[], deploying: readonly string[]): Promise<string> {
    const { run, ledger } = this;
    const steps = due.filter(({ service }) => this.started.has(service.name));
    const left = new Map<string, string>();
    let back: readonly string[] = [];
    try {
      back = await this.restore(steps, left);
    } catch (error) {
      if (run.isEnding()) throw error;
      for (const { service } of steps) left.set(service.name, reasonOf(error));
    }
    ledger.deploying = deploying;
    ledger.release();
    await ledger.write().catch((error: unknown) => {
      if (run.isEnding()) throw error;
      run.tell(`what was put back couldn't be written down: ${reasonOf(error)}`);
    });
    for (const [name, why] of left) run.tell(`${name}: can't be brought back: ${why}`);
    const told = (names: readonly string[], what: string) =>
      names.length === 0 ? [] : [`${names.join(", ")} ${names.length === 1 ? "is" : "are"} ${what}`];
    const sentences = [
      ...told(back, "back at the version before"),
      ...told([...left.keys()], "not: railway.com shows what runs"),
    ];
    return sentences.length === 0 ? "." : `; ${sentences.join(", ")}.`;
  }

  /**
   * @param left gets what couldn't be brought back, with the reason
   * @returns names of the services of which the version before runs
   */
  private async restore(steps: readonly Step[], left: Map<string, string>): Promise<string[]> {
    const { run, started } = this;
    if (steps.length === 0) return [];
    const ids = steps.flatMap(({ service, recorded }) => [
      started.get(service.name) ?? "",
      ...(recorded?.deployment === undefined ? [] : [recorded.deployment]),
    ]);
    const longest = Math.max(
      ...steps.map(({ service: { settings } }) => settings.overlapSeconds + settings.drainingSeconds),
    );
    const all = [...new Set(ids)];
    const first = await lookWhenEnded(run, all, longest + 60);
    const open = steps.filter(({ service }) => isUnderWay(first.get(started.get(service.name) ?? "")));
    for (const { service } of open) await this.cancel(service.name);
    const begun = open.flatMap(({ service }) => started.get(service.name) ?? []);
    // Meanwhile one may have got healthy, and its predecessor have ended.
    const now = open.length === 0 ? first : await lookWhenEnded(run, all, longest + 60, begun);
    const back: string[] = [];
    const again: Awaited[] = [];
    for (const { service, recorded: before } of steps) {
      const { name } = service;
      const deployment = started.get(name) ?? "";
      const old = before?.deployment === undefined ? undefined : now.get(before.deployment);
      this.unrecord(name, before);
      if (isUnderWay(now.get(deployment))) {
        left.set(name, "its new version couldn't be cancelled, and goes on");
        continue;
      }
      if (old === undefined) continue;
      if (isServing(old)) {
        back.push(name);
        continue;
      }
      try {
        const restored = await this.rollBack(name, old, deployment);
        if (restored === undefined) {
          left.set(name, "Railway doesn't keep the version before any more");
          continue;
        }
        // What the rollback has set isn't known for certain, so the next deploy sets everything.
        this.record(name, { deployment: restored, settings: "" });
        again.push({ name, deployment: restored, seconds: buildSeconds, unchecked: isUnchecked(service) });
      } catch (error) {
        if (run.isEnding()) throw error;
        left.set(name, reasonOf(error));
      }
    }
    const late = await waitHealthy(run, again);
    if (late !== undefined) left.set(late.name, `the version before doesn't get healthy, either: ${late.why}`);
    return [...back, ...again.filter(({ name }) => name !== late?.name).map(({ name }) => name)];
  }

  /** Railway refuses it of one that came to its end a moment ago, which the next look tells. */
  private async cancel(name: string): Promise<void> {
    const { run } = this;
    await run.railway
      .ask("mutation Cancel($id: String!) { deploymentCancel(id: $id) }", { id: this.started.get(name) })
      .catch((error: unknown) => {
        if (run.isEnding()) throw error;
        run.tell(`${name}: its deploy can't be cancelled: ${reasonOf(error)}`);
      });
  }

  /** @returns the deployment that brings it back; undefined where Railway can't */
  private rollBack(name: string, to: Deployment, from: string): Promise<string | undefined> {
    return rollBack(this.run, this.place, { name, serviceId: this.ids.get(name) ?? "" }, to, from);
  }
}

/** One line of what a person is told of an error. */
export const reasonOf = (error: unknown): string =>
  error instanceof DriverError ? `${error.parts.what} ${error.parts.why}` : String(error);

const isUnderWay = (deployment: Deployment | undefined): boolean =>
  deployment !== undefined && underWay.has(deployment.status);

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
