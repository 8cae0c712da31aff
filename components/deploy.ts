import { ComponentResource, log, runtime, type Output } from "@pulumi/pulumi";
import type { Home } from "../targets/target";
import { listOf } from "./parsers";
import { ProblemReport } from "./report";
import type { ResolvedApp } from "./resolvedApp";
import { AppService, ArchiveBucket, ManagedDb, ScheduledJob } from "./resources";
import { resolveStack, type StackInput } from "./resolveStack";

/** One app of the stack: the parent of its services, jobs, buckets and databases. */
export class DeployedApp extends ComponentResource {
  readonly summary: Output<unknown>;

  constructor({ declaration }: ResolvedApp, home: Home) {
    super("homeport:index:App", declaration.name);
    const child = (name: string) => `${declaration.name}-${name}`;
    const options = { parent: this };
    for (const database of declaration.databases) {
      new ManagedDb(child(database.name), { declaration: database, home }, options);
    }
    for (const bucket of declaration.buckets) {
      new ArchiveBucket(child(bucket.name), { declaration: bucket, home }, options);
    }
    for (const service of declaration.services) {
      new AppService(child(service.name), { declaration: service, home }, options);
    }
    for (const job of declaration.jobs) {
      new ScheduledJob(child(job.name), { declaration: job, home }, options);
    }
    this.summary = home.close(this).summary;
    this.registerOutputs({ summary: this.summary });
  }
}

/** What a preview says of apps that the stack doesn't name: whether it has them, the engine alone knows. */
const leavingText = (names: readonly string[]): string =>
  `homeport:apps leaves out ${listOf(names, "and")}: what this stack has of them is taken off, and their data is kept where it ` +
  "lies unless their onDelete says otherwise.";

/**
 * Deploys a stack: everything is resolved and checked first, then each app is made on its target.
 * @returns what `pulumi stack output` shows, one entry an app, and one a target that made something they share
 * @throws ProblemReport with every problem of the stack, before any resource is registered
 */
export async function deployStack(input: StackInput): Promise<Record<string, Output<unknown>>> {
  const { apps, left, problems } = await resolveStack(input);
  if (problems.length > 0) throw new ProblemReport(problems, input.config.stack);
  if (left.length > 0 && runtime.isDryRun()) await log.info(leavingText(left));
  const outputs: Record<string, Output<unknown>> = {};
  const besides = input.targets.filter((target) => target.wanted?.(input.config) === true);
  for (const target of new Set([...apps.map((app) => app.target), ...besides])) {
    const placed = apps.filter((app) => app.target === target);
    const place = await target.open(placed, input.config);
    if (place.outputs !== undefined) outputs[target.name] = place.outputs;
    for (const app of placed) outputs[app.declaration.name] = new DeployedApp(app, place.home(app)).summary;
  }
  return outputs;
}
