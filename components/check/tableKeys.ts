import type { AppSettings } from "../appSettings";
import type { AppDeclaration } from "../declaration";
import { didYouMean, type Problem } from "../problems";
import { closest } from "../values/closest";

/** Entries of `<app>:ports`, `:instances`, `:memory` and `:buckets` that name nothing of the app. */
export function checkTableKeys(app: AppDeclaration, settings: AppSettings): Problem[] {
  const services = app.services.map((service) => service.name);
  const listening = app.services.filter((service) => service.port !== undefined).map((service) => service.name);
  const buckets = app.buckets.map((bucket) => bucket.name);
  const tables = [
    { key: "ports", names: listening, given: settings.ports },
    { key: "instances", names: services, given: settings.instances },
    { key: "memory", names: services, given: settings.memory },
    { key: "buckets", names: buckets, given: settings.buckets },
  ];
  return tables.flatMap(({ key, names, given }) =>
    Object.keys(given)
      .filter((name) => !names.includes(name))
      .map((name) => {
        const near = closest(name, names);
        return {
          where: `${app.name}:${key}.${name}`,
          what: `"${app.name}" has nothing named "${name}" here${didYouMean(near)}`,
          fix: `pulumi config rm --path ${app.name}:${key}.${name}`,
        };
      }),
  );
}
