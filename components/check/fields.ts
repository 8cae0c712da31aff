import type {
  AppDeclaration,
  Backup,
  Bucket,
  Check,
  ChecklistItem,
  Command,
  Database,
  Job,
  LogFiles,
  Resources,
  Runtime,
  Service,
  Volume,
} from "../declaration";
import { didYouMean, type Problem } from "../problems";
import { closest } from "../values/closest";

/** Every field of a type, and none besides: the compiler holds the list against the type. */
type Fields<T> = Readonly<Record<T extends unknown ? keyof T : never, true>>;

const service: Fields<Service> = {
  ...{ name: true, url: true, internalUrl: true, source: true, image: true, runtime: true, dockerfile: true },
  ...{ build: true, command: true, port: true, access: true, ownLogin: true, health: true, startTimeout: true },
  ...{ drain: true, release: true, instances: true, sticky: true, resources: true, volumes: true, folders: true },
  ...{ logs: true, checks: true, env: true },
};
const runtime: Fields<Runtime> = { language: true, version: true, dependencies: true };
const bounds: Fields<{ min: number; max: number }> = { min: true, max: true };
const resources: Fields<Resources> = { memory: true, cpus: true, cpuKind: true };
const volume: Fields<Volume> = { path: true, size: true };
const logs: Fields<LogFiles> = { path: true, keep: true };
const check: Fields<Check> = { path: true, every: true };
const job: Fields<Job> = {
  ...{ name: true, in: true, at: true, command: true, onFailure: true, timeout: true, env: true },
};
const command: Fields<Command> = { name: true, in: true, command: true, about: true, interactive: true };
const bucket: Fields<Bucket> = {
  ...{ name: true, bucketName: true, region: true, endpoint: true, coldAfter: true, expireAfter: true, existing: true },
};
const item: Fields<ChecklistItem> = { when: true, what: true, command: true };
const backup: Fields<Backup> = { at: true, keep: true, to: true };

type Of<Engine> = Fields<Extract<Database, { engine: Engine }>>;
const common = { engine: true, name: true, url: true, path: true } as const;
const databases: { readonly [Engine in Database["engine"]]: Of<Engine> } = {
  postgres: { ...common, extensions: true, size: true, backup: true },
  redis: { ...common, size: true },
  sqlite: { ...common, file: true, backup: true },
  external: { ...common, variable: true, schemes: true, about: true },
};

/**
 * Fields that nothing reads. Pulumi runs the program without looking at its types, so a misspelt field would be left out
 * without a word, `acess: "restricted"` among them.
 */
export function checkFields(app: AppDeclaration): Problem[] {
  const problems: Problem[] = [];
  const hold = (
    where: string,
    what: string,
    value: object | undefined,
    fields: Readonly<Record<string, true>>,
  ): void => {
    const known = Object.keys(fields);
    for (const name of Object.keys(value ?? {}).filter((one) => !known.includes(one))) {
      problems.push({
        where: `${app.name}.${where}.${name}`,
        what: `${what} has no field "${name}"${didYouMean(closest(name, known))}`,
        why: "Nothing would read it.",
        fix: `Mend it in apps/${app.name}.ts.`,
      });
    }
  };
  for (const one of app.services) {
    const { name, instances } = one;
    hold(name, "A service", one, service);
    hold(`${name}.runtime`, "A runtime", one.runtime, runtime);
    hold(`${name}.resources`, "What a service may use", one.resources, resources);
    hold(`${name}.logs`, "A service's log files", one.logs, logs);
    if (typeof instances === "object") hold(`${name}.instances`, "A range of instances", instances, bounds);
    for (const each of one.volumes ?? []) hold(`${name}.volumes`, "A volume", each, volume);
    for (const each of one.checks ?? []) hold(`${name}.checks`, "A check", each, check);
  }
  for (const one of app.jobs) hold(one.name, "A job", one, job);
  for (const one of app.commands) hold(one.name, "A command", one, command);
  for (const one of app.buckets) hold(one.name, "A bucket", one, bucket);
  for (const one of app.databases) {
    const fields = (databases as Readonly<Record<string, Readonly<Record<string, true>>>>)[one.engine];
    if (fields === undefined) {
      const engines = Object.keys(databases);
      problems.push({
        where: `${app.name}.${one.name}.engine`,
        what: `There is no engine "${one.engine}"${didYouMean(closest(one.engine, engines))}`,
        why: `Engines are ${engines.join(", ")}.`,
        fix: `Mend it in apps/${app.name}.ts.`,
      });
      continue;
    }
    hold(one.name, `A ${one.engine} database`, one, fields);
    if ("backup" in one) hold(`${one.name}.backup`, "A backup", one.backup, backup);
  }
  for (const one of app.checklist) hold("checklist", "A step of a checklist", one, item);
  return problems;
}
