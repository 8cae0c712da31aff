import type { AppDeclaration, Database, Service } from "../declaration";
import { isReference, type Reference } from "../environment";
import { didYouMean, type Problem } from "../problems";
import { closest } from "../values/closest";
import type { VariableSource } from "../variables";

/** Mistakes in an app's file, found without a stack: each names the component and the field. */
export function checkDeclaration(app: AppDeclaration): Problem[] {
  const check = new Checker(app);
  check.names();
  for (const service of app.services) check.service(service);
  for (const job of app.jobs) {
    check.own(`${job.name}.in`, job.in, app.services);
    check.references(job.name, job.env);
    for (const [name, source] of Object.entries(job.env ?? {})) {
      if (typeof source !== "string" && "kind" in source && source.kind === "secretFile") {
        check.add(`${job.name}.env.${name}`, "A secret file belongs to a service; declare it on the job's.");
      }
    }
    if (job.command.length === 0) check.add(`${job.name}.command`, "It has no command.");
  }
  for (const command of app.commands) check.own(`${command.name}.in`, command.in, app.services);
  for (const domain of app.domains) check.own(domain.variable, domain.service, app.services);
  for (const database of app.databases) check.database(database);
  if (app.diskAlarm <= 0 || app.diskAlarm >= 1) check.add("diskAlarm", "It isn't a share between 0 and 1.");
  return check.problems;
}

class Checker {
  readonly problems: Problem[] = [];
  constructor(private readonly app: AppDeclaration) {}

  add(field: string, what: string): void {
    this.problems.push({ where: `${this.app.name}.${field}`, what, fix: `Mend it in apps/${this.app.name}.ts.` });
  }

  names(): void {
    const { services, jobs, buckets, databases, commands } = this.app;
    for (const group of [[...services, ...jobs, ...buckets, ...databases], commands]) {
      const seen = new Set<string>();
      for (const { name } of group) {
        if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
          this.add(name, "A name has lower-case letters, digits and single hyphens, and begins with a letter.");
        }
        if (seen.has(name)) this.add(name, "Two parts of the app have this name.");
        seen.add(name);
      }
    }
    if (services.length === 0) this.add("services", "It has no service.");
  }

  service(service: Service): void {
    const field = (name: string) => `${service.name}.${name}`;
    if ((service.source === undefined) === (service.image === undefined)) {
      this.add(field("source"), "It needs either a source or an image.");
    }
    if (service.source !== undefined) {
      if (service.runtime === undefined) this.add(field("runtime"), "Code from a source needs a runtime.");
      if (service.command === undefined) this.add(field("command"), "Code from a source needs a command.");
    }
    if (service.port !== undefined && service.health === undefined) {
      this.add(field("health"), "A service with a port needs a health path, or a deploy can't tell that it works.");
    }
    if (service.port === undefined && service.health !== undefined) {
      this.add(field("port"), "A health path without a port can't be asked.");
    }
    for (const path of [service.health, ...(service.checks ?? []).map((c) => c.path)]) {
      if (path !== undefined && !path.startsWith("/"))
        this.add(field("health"), `"${path}" doesn't begin with a slash.`);
    }
    const { min, max } = instancesOf(service);
    if (!Number.isInteger(min) || !Number.isInteger(max) || min < 1 || max < min) {
      this.add(field("instances"), `From ${min} to ${max} isn't a range of at least 1.`);
    }
    this.volumes(service);
    this.references(service.name, service.env);
  }

  private volumes(service: Service): void {
    const volumes = service.volumes ?? [];
    for (const [index, volume] of volumes.entries()) {
      if (!/^(\/[A-Za-z0-9._-]+)+$/.test(volume.path) || volume.path.split("/").includes("..")) {
        this.add(`${service.name}.volumes`, `"${volume.path}" isn't an absolute path.`);
      }
      const reserved = /^\/(etc|proc|sys|dev|run|boot|usr|bin|sbin|lib|lib64|opt|home|root|tmp)(\/|$)/;
      if (reserved.test(volume.path)) {
        this.add(
          `${service.name}.volumes`,
          `"${volume.path}" lies in a folder of the system; /data is the usual place.`,
        );
      }
      if (
        volumes.slice(index + 1).some((other) => inside(other.path, volume.path) || inside(volume.path, other.path))
      ) {
        this.add(`${service.name}.volumes`, `"${volume.path}" and another volume lie one inside the other.`);
      }
    }
    for (const folder of [...(service.folders ?? []), ...(service.logs === undefined ? [] : [service.logs.path])]) {
      if (!volumes.some((volume) => inside(folder, volume.path))) {
        this.add(
          `${service.name}.folders`,
          `"${folder}" isn't below one of its volumes, so it wouldn't outlive a release.`,
        );
      }
    }
  }

  database(database: Database): void {
    if (database.engine === "sqlite") {
      const holders = this.app.services.filter((s) => (s.volumes ?? []).some((v) => inside(database.file, v.path)));
      if (holders.length === 0) this.add(`${database.name}.file`, `"${database.file}" isn't below a service's volume.`);
    }
    const bucket = "backup" in database ? database.backup.to : undefined;
    if (bucket !== undefined) this.own(`${database.name}.backup.to`, bucket, this.app.buckets);
  }

  own<T extends { name: string }>(field: string, part: T, parts: readonly T[]): void {
    if (!parts.includes(part)) this.add(field, `"${part.name}" isn't declared in this app.`);
  }

  references(component: string, env: Readonly<Record<string, VariableSource>> | undefined): void {
    for (const [name, source] of Object.entries(env ?? {})) {
      const field = `${component}.env.${name}`;
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) this.add(field, "It isn't a variable's name.");
      if (name === "PORT") this.add(field, "PORT is given by the target; declare `port` on the service.");
      for (const found of referencesIn(source)) this.reference(field, found);
    }
  }

  private reference(field: string, { component, attribute }: Reference): void {
    const { services, buckets, databases } = this.app;
    const offers: Record<string, readonly string[] | undefined> = Object.fromEntries<readonly string[]>([
      ...services.map((s) => [s.name, ["url", "internalUrl"]] as const),
      ...buckets.map((b) => [b.name, ["name", "region", "endpoint"]] as const),
      ...databases.map((d) => [d.name, d.engine === "sqlite" ? ["path"] : ["url"]] as const),
    ]);
    const offered = offers[component];
    if (offered === undefined) {
      const near = closest(component, Object.keys(offers));
      this.add(field, `It refers to "${component}", which isn't declared${didYouMean(near)}`);
    } else if (!offered.includes(attribute)) {
      this.add(field, `"${component}" has no ${attribute}; it has ${offered.join(", ")}.`);
    }
    const service = services.find((s) => s.name === component);
    if (service !== undefined && service.port === undefined) {
      this.add(field, `"${component}" listens on no port, so it has no ${attribute}.`);
    }
  }
}

/** The bounds of a service's number of instances. */
export function instancesOf(service: Pick<Service, "instances">): { min: number; max: number } {
  const instances = service.instances ?? 1;
  return typeof instances === "number" ? { min: instances, max: instances } : instances;
}

/** Whether a path is a folder or lies below it. */
export function inside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function referencesIn(source: VariableSource): Reference[] {
  if (typeof source === "string") return [];
  if (isReference(source)) return [source];
  if (!("default" in source)) return [];
  const fallback: unknown = source.default;
  if (isReference(fallback)) return [fallback];
  return typeof fallback === "object" && fallback !== null ? Object.values(fallback).filter(isReference) : [];
}
