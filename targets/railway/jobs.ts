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
  const envs = jobs.map((job) => ownEnv(app, made, job));
  const script = jobsScript(jobs.map(inUtc), (job) => envs[jobs.findIndex(({ name }) => name === job.name)]?.set ?? "");
  const carrier = "HOMEPORT_JOBS_BASE64";
  return {
    variables: Object.fromEntries([
      [carrier, Buffer.from(script).toString("base64")],
      ...envs.flatMap(({ variables }) => Object.entries(variables)),
    ]),
    secrets: envs.flatMap(({ secrets }) => secrets),
    files: [{ carrier, path: jobsFile, rewritten: false }, ...envs.flatMap(({ files }) => files)],
    own: envs.flatMap(({ own }) => own),
  };
}

/** A job's own variables, under names of their own among those of its service, and the shell text that sets them for it. */
function ownEnv(app: ResolvedApp, made: RailwayMade, job: Job): JobsBeside & { readonly set: string } {
  const resolved = app.jobEnv[job.name] ?? {};
  const { variables, secrets, files } = railwayEnv(app, made, job.in, resolved, job.in.name, `/${job.name}`);
  const named = (variable: string): string => `HOMEPORT_${describedName(job.name)}__${variable}`;
  const carriers = files.map(({ carrier }) => carrier);
  const seen = Object.keys(variables).filter((variable) => !carriers.includes(variable));
  return {
    variables: Object.fromEntries(Object.entries(variables).map(([variable, value]) => [named(variable), value])),
    secrets: secrets.map(named),
    files: files.map((file) => ({ ...file, carrier: named(file.carrier) })),
    own: seen.map(named),
    set: exported(Object.fromEntries(seen.map((variable) => [variable, `"$${named(variable)}"`]))),
  };
}

function inUtc(job: Job): Job {
  const schedule = utcSchedule(job.at);
  if (schedule === undefined) throw new Error(`${job.name} reached the plan unchecked.`);
  return { ...job, at: new Cron(schedule) };
}
