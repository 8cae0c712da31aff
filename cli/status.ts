import type { AppStatus, DiskStatus, ScheduleStatus, ServiceStatus } from "../targets/operations";
import { table, type Paint } from "./table";
import { ago, bytes, clock, until } from "./units";

/** One app's answer: how it is, or why it couldn't be asked. */
export interface Answer {
  readonly app: string;
  /** `main (203.0.113.7)`. */
  readonly place: string;
  readonly status: AppStatus | undefined;
  /** Why there is no status. */
  readonly error?: string;
  /** Places that it is to leave and still has: `fly (hotrod-dev in fra of personal)`. Left out: none. */
  readonly elsewhere?: readonly string[];
}

/** What isn't well, one line each, with the command that shows more. */
export function problemsOf(answer: Answer): readonly string[] {
  const { app, elsewhere = [] } = answer;
  const moving = elsewhere.map((place) => `${app} is still at ${place}, until \`pulumi up\` has moved it`);
  if (answer.status?.deployed === false && moving.length > 0) return moving;
  return [...ofPlace(answer), ...moving];
}

function ofPlace({ app, status, error }: Answer): readonly string[] {
  if (status === undefined) return [`${app}: ${(error ?? "unknown").replaceAll("\n", "\n  ")}`];
  if (!status.deployed) return [`${app} was never deployed there: pulumi up`];
  const { missing = [] } = status;
  const logs = (part: string): string => `homeport logs ${app} ${part}`;
  const problems = status.services.flatMap((service) => {
    const label = `${app} ${service.name}`;
    const down = service.instances.filter(({ running }) => !running);
    if (service.instances.length === 0)
      return missing.length > 0 ? [] : [`${label}: no instance is there: homeport restart ${app} ${service.name}`];
    if (down.length > 0) {
      return [
        `${label}: ${down.map(({ name, state }) => `instance ${name} is ${state}`).join(", ")}: ${logs(service.name)}`,
      ];
    }
    return service.health === "unhealthy" ? [`${label}: doesn't answer its health check: ${logs(service.name)}`] : [];
  });
  if (missing.length > 0)
    problems.push(`${app}: taken away by somebody: ${missing.join(", ")}: homeport repair ${app}, then pulumi up`);
  for (const { name, kind, result, reason } of status.schedules) {
    if (result !== "failed") continue;
    const more = kind === "job" || kind === "backup" ? `: ${logs(name)}` : `: homeport logs ${app}`;
    problems.push(`${app} ${scheduleName(name, kind)}: failed (${reason ?? "unknown"})${more}`);
  }
  // Jobs and services have been told above.
  const told = new Set([
    ...status.services.flatMap((one) => one.instances.map(({ name }) => `${one.name}/${one.slot ?? ""}${name}`)),
    ...status.schedules.map(({ name, kind }) => scheduleName(name, kind)),
  ]);
  for (const part of status.failed) if (!told.has(part)) problems.push(`${app} ${part}: failed: homeport logs ${app}`);
  for (const disk of status.disks) {
    if (disk.usedPercent < disk.limitPercent) continue;
    problems.push(`${app}: ${disk.path} is ${disk.usedPercent} % full, the alarm is at ${disk.limitPercent} %`);
  }
  return problems;
}

const sizeOf = ({ bytes: size }: { readonly bytes: number }): string[] => (size === 0 ? [] : [bytes(size)]);

const diskKey = ({ id, bytes: size }: DiskStatus): string => id ?? String(size);

/** As `failed` has it, too. */
const scheduleName = (name: string, kind: ScheduleStatus["kind"]): string =>
  kind === "backup" ? `backup ${name}` : name;

/**
 * The whole of `homeport status`. Ends with what isn't well, or that all is.
 * @param lacking what is wrong with the stack itself, each with its fix
 */
export function statusText(answers: readonly Answer[], paint: Paint, lacking: readonly string[] = []): string {
  const well = answers.flatMap(({ app, place, status }) => (status?.deployed === true ? [{ app, place, status }] : []));
  const several = answers.length > 1;
  const head = (...titles: string[]): string[] => (several ? ["app", ...titles] : titles);
  const rows = (cells: (status: AppStatus, app: string) => readonly (readonly string[])[]): string[][] =>
    well.flatMap(({ app, status }) => cells(status, app).map((row) => (several ? [app, ...row] : [...row])));
  const disks = new Map(
    well.flatMap(({ place, status }) =>
      // Two folders of one file system are one matter, and so it is for apps of one place.
      status.disks
        .filter((disk, index) => status.disks.findIndex((other) => diskKey(other) === diskKey(disk)) === index)
        .map((disk) => [`${place} ${diskKey(disk)}`, { place, disk }] as const),
    ),
  );
  const sections = [
    table(
      head("service", "health", "release", "since", "memory", "restarts"),
      rows((status) => serviceRows(status, paint)),
    ),
    table(
      head("schedule", "last", "result", "next", "next (UTC)"),
      rows(({ schedules, time }) =>
        schedules.map((one) => [
          scheduleName(one.name, one.kind),
          ago(one.last, time),
          resultText(one, paint),
          until(one.next, time),
          clock(one.next),
        ]),
      ),
    ),
    table(
      head("database", "engine", "newest local backup", "copies"),
      rows(({ databases, time }) =>
        databases.map(({ name, engine, state, copies, newest }) => [
          name,
          state === undefined ? engine : `${engine}: ${state}`,
          newest === undefined ? "-" : [ago(newest.time, time), ...sizeOf(newest)].join(", "),
          newest === undefined ? "-" : String(copies),
        ]),
      ),
    ),
    table(
      ["disk of", "path", "free", "of", "used", "alarm"],
      [...disks.values()].map(({ place, disk }) => [
        place,
        disk.path,
        bytes(disk.freeBytes),
        bytes(disk.bytes),
        disk.usedPercent < disk.limitPercent ? `${disk.usedPercent} %` : paint(`${disk.usedPercent} %`, "red"),
        `${disk.limitPercent} %`,
      ]),
    ),
  ].filter((lines) => lines.length > 0);
  const problems = [
    ...together(answers).flatMap(problemsOf),
    ...lacking.map((problem) => problem.replaceAll("\n", "\n  ")),
  ];
  const end =
    problems.length === 0
      ? [answers.length === 0 ? "There is no app to ask for." : paint("All is well.", "green")]
      : [paint("Not well:", "red"), ...problems.map((problem) => `  ${problem}`)];
  return [...sections.map((lines) => lines.join("\n")), end.join("\n")].join("\n\n");
}

/** Apps that can't be asked for one reason are one answer. */
function together(answers: readonly Answer[]): Answer[] {
  const groups = new Map<string, Answer>();
  for (const answer of answers) {
    const key = answer.error ?? answer.app;
    const other = groups.get(key);
    groups.set(key, other === undefined ? answer : { ...other, app: `${other.app}, ${answer.app}` });
  }
  return [...groups.values()];
}

function serviceRows({ services, time }: AppStatus, paint: Paint): string[][] {
  return services.flatMap((service) => {
    const { instances } = service;
    if (instances.length === 0) {
      return [
        [service.name, paint("not running", "red"), releaseText(service.release), ago(service.since, time), "-", "-"],
      ];
    }
    return instances.map((instance) => [
      `${service.name}/${service.slot ?? ""}${instance.name}`,
      instance.running ? healthText(service, paint) : paint(instance.state, "red"),
      releaseText(service.release),
      ago(instance.since ?? service.since, time),
      instance.memoryBytes === undefined ? "-" : bytes(instance.memoryBytes),
      instance.restarts === undefined ? "-" : String(instance.restarts),
    ]);
  });
}

/** Enough of a content's hash to tell it from others; of an image its name and tag. */
const releaseText = (release: string): string =>
  release.includes("/")
    ? release.slice(release.lastIndexOf("/") + 1).replace(/@sha256:(.{12}).*/, "@$1")
    : release.slice(0, 12);

function healthText({ health }: ServiceStatus, paint: Paint): string {
  if (health === "none") return "running";
  return paint(health, health === "healthy" ? "green" : "red");
}

function resultText({ result, reason }: ScheduleStatus, paint: Paint): string {
  if (result === "failed") return paint(`failed (${reason ?? "unknown"})`, "red");
  return result === "unknown" ? "-" : result;
}
