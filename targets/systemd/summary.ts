import type { ResolvedApp } from "../../components/resolvedApp";
import { portsOf } from "./buildPlan";
import type { Host } from "./host";

/**
 * What a preview shows of an app's deploy, one line a part, so that a change says what it is about: the code's version,
 * the names of the variables, schedules and ports. No value of a variable is among them.
 */
export function describeChange(app: ResolvedApp, host: Host): Record<string, string> {
  const { declaration } = app;
  const lines: Record<string, string> = { HOMEPORT_HOST: `${host.name} (${host.connection.address})` };
  for (const service of declaration.services) {
    const code = app.code[service.name]?.fingerprint;
    const ports = portsOf(app, service);
    const parts = [
      code === undefined
        ? (service.image ?? "")
        : code.commit === undefined
          ? `content ${code.id}`
          : `commit ${code.commit.slice(0, 12)}`,
      ...(ports.length === 0 ? [] : [`port ${ports.join(", ")}`]),
      `variables ${
        Object.keys(app.serviceEnv[service.name] ?? {})
          .sort()
          .join(" ") || "none"
      }`,
    ];
    lines[`HOMEPORT_SERVICE_${key(service.name)}`] = parts.join("; ");
  }
  for (const job of declaration.jobs) {
    lines[`HOMEPORT_JOB_${key(job.name)}`] = job.at.toString();
  }
  return lines;
}

function key(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
