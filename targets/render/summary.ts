import type { ResolvedApp } from "../../components/resolvedApp";
import { describedName, describeEnv, describeJob } from "../describe";
import { needsDisk } from "./buildPlan";
import { idOf } from "./names";
import type { RenderCode, RenderSpec } from "./plan";

/**
 * What a preview shows of an app's deploy, one line a part: code, plans and counts, plain variables with their values, secret
 * ones by name alone. What is secret changes unseen, in the command's input.
 */
export function describeChange(app: ResolvedApp, spec: RenderSpec): Record<string, string> {
  const { declaration } = app;
  const lines: Record<string, string> = {
    HOMEPORT_RENDER: `${idOf(app)}: project ${spec.project}, environment ${spec.environment}, in ${spec.region}`,
  };
  for (const { part, name, type, plan, instances, code, disk, command, schedule } of spec.services) {
    const key = `HOMEPORT_${describedName(part)}`;
    const { min = 1, max = 1 } = instances ?? {};
    const count = min === max ? `${min}` : `${min} to ${max}`;
    lines[key] = `${type.replace("_", " ")} ${name}, ${schedule ?? count} of ${plan}`;
    lines[`${key}_CODE`] = describeCode(code);
    if (command !== undefined) lines[`${key}_COMMAND`] = command;
    if (disk !== undefined) lines[`${key}_DISK`] = `${disk.path}, ${disk.sizeGb} GB`;
    const kept = disk === undefined ? "under another id" : "without what its disk holds";
    lines[`${key}_FIXED`] =
      `${type.replace("_", " ")} in ${spec.region}: another kind or region takes a new one, ${kept}`;
    Object.assign(lines, describeEnv(key, app.serviceEnv[part]));
  }
  for (const { part, name, plan, diskGb, version } of spec.postgres) {
    lines[`HOMEPORT_${describedName(part)}`] = `Postgres ${version} ${name}, ${diskGb} GB of ${plan}`;
    lines[`HOMEPORT_${describedName(part)}_FIXED`] =
      `version ${version} in ${spec.region}: another version or region takes a new one, which is empty; an \`up\` refuses to`;
    lines[`HOMEPORT_${describedName(part)}_BACKUP`] = "Render's own: to any time of the last days";
  }
  for (const { part, name, plan } of spec.keyValues) {
    lines[`HOMEPORT_${describedName(part)}`] = `Key Value ${name} of ${plan}`;
    lines[`HOMEPORT_${describedName(part)}_FIXED`] =
      `in ${spec.region}: another region takes a new one, which is empty`;
  }
  for (const database of declaration.databases)
    if (database.engine === "sqlite" && database.backup !== undefined)
      lines[`HOMEPORT_${describedName(database.name)}_BACKUP`] = "Render's own: a snapshot of the disk each day";
  for (const job of declaration.jobs) {
    Object.assign(lines, describeJob(app, job));
    if (needsDisk(job.in))
      lines[`HOMEPORT_JOB_${describedName(job.name)}_IN`] = `${job.in.name}'s own instance, as it needs its disk`;
  }
  return lines;
}

function describeCode(code: RenderCode): string {
  if (code.kind === "image") return code.image;
  const { repo, branch, commit, rootDir } = code;
  return `${repo}${branch === undefined ? "" : `#${branch}`} @ ${commit.slice(0, 12)}${rootDir === "" ? "" : ` in ${rootDir}`}`;
}
