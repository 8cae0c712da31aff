import { instancesOf } from "../../components/check/declaration";
import type { Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { describedName, describeEnv, describeJob } from "../describe";
import { portsOf } from "./buildPlan";
import type { Host } from "./host";

/**
 * What a preview shows of an app's deploy, one line a part, so that a change says what it is about: the code's version,
 * ports, plain variables with their values, secret ones by name alone. What is secret changes unseen, in the command's input.
 */
export function describeChange(app: ResolvedApp, host: Host): Record<string, string> {
  const { declaration } = app;
  return {
    HOMEPORT_HOST: `${host.name} (${host.connection.address})`,
    ...Object.assign({}, ...declaration.services.map((service) => describeService(app, service))),
    ...Object.assign({}, ...declaration.jobs.map((job) => describeJob(app, job))),
  } as Record<string, string>;
}

function describeService(app: ResolvedApp, service: Service): Record<string, string> {
  const name = `HOMEPORT_${describedName(service.name)}`;
  const code = app.code[service.name]?.fingerprint;
  const instances = app.settings.instances[service.name] ?? instancesOf(service).min;
  const ports = portsOf(app, service).join(", ");
  return {
    [`${name}_CODE`]:
      code === undefined
        ? `image ${service.image ?? ""}`
        : code.commit === undefined
          ? `content ${code.id}`
          : `commit ${code.commit.slice(0, 12)}`,
    ...(service.command === undefined ? {} : { [`${name}_COMMAND`]: service.command }),
    ...(instances === 1 ? {} : { [`${name}_INSTANCES`]: String(instances) }),
    ...(ports === "" ? {} : { [`${name}_PORT`]: ports }),
    ...describeEnv(name, app.serviceEnv[service.name]),
  };
}
