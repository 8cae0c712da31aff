import type { AppDeclaration, Job, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { Cron } from "../../components/values/cron";
import { exported, jobsScript } from "../containers/jobs";
import { describedName } from "../describe";
import { utcSchedule } from "./schedule";
import { fileFolder, railwayEnv, type RailwayEnv, type RailwayMade } from "./values";

/** Whether a service's jobs have to run in its instance: Railway shows a volume to one service alone. */
export const runsBeside = (service: Service): boolean => (service.volumes ?? []).length > 0;

/** The jobs of an app that run in a service's instance. */
export const jobsBeside = ({ jobs }: Pick<AppDeclaration, "jobs">, service: Service): Job[] =>
  runsBeside(service) ? jobs.filter((job) => job.in.name === service.name) : [];

/** The script that starts the jobs beside a service; with a job's name it runs that one. */
export const jobsFile = `${fileFolder}/jobs`;

/** What a service has for the jobs in its instance, besides its own. */
export interface JobsBeside extends RailwayEnv {
  /** The variables that are meant for them alone. */
  readonly own: readonly string[];
}

/** @returns undefined for a service without such jobs */
export function planJobsBeside(app: ResolvedApp, made: RailwayMade, service: Service): JobsBeside | undefined {
  const jobs = jobsBeside(app.declaration, service);
  if (jobs.length === 0) return undefined;
  // A job's own variables are among its service's under other names. Secret files are services' alone.
  const named = (job: string, variable: string): string => `HOMEPORT_${describedName(job)}__${variable}`;
  const envs = jobs.map(({ name }) => ({ job: name, ...railwayEnv(app, made, service, app.jobEnv[name] ?? {}) }));
  const own = envs.flatMap(({ job, variables }) =>
    Object.entries(variables).map(([variable, value]) => ({ job, variable, name: named(job, variable), value })),
  );
  const script = jobsScript(jobs.map(inUtc), (job) =>
    exported(
      Object.fromEntries(own.filter((one) => one.job === job.name).map((one) => [one.variable, `"$${one.name}"`])),
    ),
  );
  const carrier = "HOMEPORT_JOBS_BASE64";
  return {
    variables: {
      [carrier]: Buffer.from(script).toString("base64"),
      ...Object.fromEntries(own.map(({ name, value }) => [name, value])),
    },
    secrets: envs.flatMap(({ job, secrets }) => secrets.map((secret) => named(job, secret))),
    files: [{ carrier, path: jobsFile, rewritten: false }],
    own: own.map(({ name }) => name),
  };
}

function inUtc(job: Job): Job {
  const schedule = utcSchedule(job.at);
  if (schedule === undefined) throw new Error(`${job.name} reached the plan unchecked.`);
  return { ...job, at: new Cron(schedule) };
}
