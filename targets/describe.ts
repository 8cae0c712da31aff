import type { Job } from "../components/declaration";
import type { ResolvedEnv, Value } from "../components/resolve";
import type { ResolvedApp } from "../components/resolvedApp";

/** A service's or job's name as it stands in the names of what a preview shows. */
export function describedName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}

/** What a preview shows of a job: its schedule and commands, and its own variables. */
export function describeJob(app: ResolvedApp, job: Job): Record<string, string> {
  const name = `HOMEPORT_JOB_${describedName(job.name)}`;
  const commands = [job.command].flat().join("; ");
  return { [name]: `${job.at.toString()}: ${commands}`, ...describeEnv(name, app.jobEnv[job.name]) };
}

/** What a preview shows of variables: plain ones with their values, secret ones by name alone. */
export function describeEnv(prefix: string, env: ResolvedEnv | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env ?? {}).map(([name, { value }]) => [`${prefix}_ENV_${name}`, shown(value)]),
  );
}

function shown(value: Value): string {
  if (value.kind === "plain") return value.value;
  if (value.kind === "reference") return `${value.reference.component}'s ${value.reference.attribute}`;
  return "[secret]";
}
