import type { HostPlan } from "../plan";
import { cloudwatchConfig } from "./cloudwatch";
import { firewallFolder, firewallOutput } from "./firewall";
import { jobUnitText, jobVariables } from "./jobUnit";
import { logrotateText } from "./logrotate";
import { backupUnit, config, jobUnit, serviceNamed, unitFile } from "./names";
import { activePlace, jobPlace } from "./place";
import { commandScript, execScript, execScriptPath } from "./runScript";
import { placeFiles } from "./slotFiles";
import { rootFile, type InstalledFile } from "./stageFile";
import { calendarTimer, intervalTimer } from "./timerUnit";
import { backupConfig, toolUnit, watchConfig, watchSeconds } from "./toolUnits";
import { serviceVariables } from "./variables";

/** What goes with the version that serves, and is installed once it does. */
export const lateFiles = (plan: HostPlan): readonly InstalledFile[] => [
  ...plan.services.flatMap((service) => placeFiles(activePlace(plan, service), serviceVariables(plan, service))),
  ...plan.services.map((service) => rootFile(execScriptPath(plan, service.name), 0o700, execScript(plan, service))),
  ...plan.commands.map((command) => rootFile(config(plan, `run/${command.name}`), 0o700, commandScript(plan, command))),
  ...plan.jobs.flatMap((job) => jobFiles(plan, job)),
  ...plan.databases.flatMap((database) => backupFiles(plan, database)),
  ...watchFiles(plan),
  ...cloudwatchConfig(plan),
  ...optional(`/etc/logrotate.d/homeport-${plan.id}`, 0o644, logrotateText(plan)),
  ...optional(`${firewallFolder}/${plan.id}.output`, 0o600, firewallOutput(plan)),
];

const optional = (path: string, mode: number, content: string | undefined): readonly InstalledFile[] =>
  content === undefined ? [] : [rootFile(path, mode, content)];

const unit = (name: string, content: string): InstalledFile => rootFile(unitFile(name), 0o644, content);

function jobFiles(plan: HostPlan, job: HostPlan["jobs"][number]): readonly InstalledFile[] {
  const place = jobPlace(plan, serviceNamed(plan, job.service), job.name);
  const name = jobUnit(plan, job.name);
  const [variables] = placeFiles(place, jobVariables(plan, job));
  return [
    unit(`${name}.service`, jobUnitText(plan, job)),
    unit(`${name}.timer`, calendarTimer(`${plan.id} job ${job.name}`, job.onCalendar)),
    ...(variables === undefined ? [] : [variables]),
  ];
}

function backupFiles(plan: HostPlan, database: HostPlan["databases"][number]): readonly InstalledFile[] {
  const content = backupConfig(plan, database);
  if (content === undefined || database.engine === "redis" || database.backup === undefined) return [];
  const name = backupUnit(plan, database.name);
  const about = `${plan.id} backup of ${database.name}`;
  return [
    rootFile(config(plan, `backup/${database.name}`), 0o600, content),
    unit(`${name}.service`, toolUnit(plan, about, ["backup", database.name], "6h")),
    unit(`${name}.timer`, calendarTimer(about, database.backup.onCalendar)),
  ];
}

function watchFiles(plan: HostPlan): readonly InstalledFile[] {
  const report = `${plan.id} disk report`;
  return [
    rootFile(config(plan, "watch"), 0o600, watchConfig(plan)),
    unit(`${plan.id}-watch.service`, toolUnit(plan, `${plan.id} watch`, ["watch"], "4min")),
    unit(`${plan.id}-watch.timer`, intervalTimer(`${plan.id} watch`, watchSeconds(plan))),
    ...(plan.diskReport.length === 0
      ? []
      : [
          unit(`${plan.id}-disk-report.service`, toolUnit(plan, report, ["disk-report"], "4min")),
          unit(`${plan.id}-disk-report.timer`, calendarTimer(report, plan.diskReport)),
        ]),
  ];
}
