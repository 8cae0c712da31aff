import type { HostPlan, PlannedJob } from "../plan";
import { jobUnit, serviceNamed, tools } from "./names";
import { oneShotSettings } from "./oneshot";
import { jobPlace } from "./place";
import { shellWord } from "./quote";
import { wants } from "./serviceUnit";
import { description, execLine, unitText, type Setting } from "./unitText";
import { serviceVariables } from "./variables";

/** `<id>-job-<job>.service`. */
export function jobUnitText(plan: HostPlan, job: PlannedJob): string {
  const service = serviceNamed(plan, job.service);
  const image = "image" in service.code;
  const shot = {
    shell: jobScript(job, image ? "/bin/sh" : "/bin/bash"),
    name: jobUnit(plan, job.name),
    variables: Object.keys(jobVariables(plan, job)).sort(),
    timeoutSeconds: job.timeoutSeconds,
  };
  return unitText(`Job ${job.name} of ${plan.id}.`, [
    ["Unit", [description(`${plan.id} job ${job.name}`), ...wants(plan), ["OnFailure", "homeport-alert@%n.service"]]],
    ["Service", [...oneShotSettings(plan, jobPlace(plan, service, job.name), shot), ...ping(plan, job)]],
  ]);
}

/** The service's variables; the job's own go before them. */
export const jobVariables = (plan: HostPlan, job: PlannedJob): Record<string, string> => ({
  ...serviceVariables(plan, serviceNamed(plan, job.service)),
  ...job.env,
});

/** Each command in a shell of its own, as if it were the only one; any that fails makes the job fail. */
export function jobScript(job: Pick<PlannedJob, "commands" | "onFailure">, shell = "/bin/bash"): string {
  const commands = job.commands.map((command) => `${shell} -c ${shellWord(command)}`);
  const [only] = commands;
  if (commands.length === 1 && only !== undefined) return `exec ${only}`;
  if (job.onFailure === "stop") return commands.join(" && ");
  return `{ failed=0; ${commands.map((command) => `${command} || failed=$?; `).join("")}exit $failed; }`;
}

/** Runs after success only; as root (`+`), for the address is root's alone; a ping that fails is no failed job (`-`). */
function ping(plan: HostPlan, job: PlannedJob): readonly Setting[] {
  if (plan.pingUrl === undefined) return [];
  return [["ExecStartPost", execLine([`${tools}/ping`, plan.id, jobSlug(plan, job)], "-+")]];
}
const jobSlug = (plan: HostPlan, job: PlannedJob): string => `${plan.id}-${job.name}`;
