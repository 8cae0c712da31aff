import { imageParts } from "./images";
import { leaseOf } from "./leases";
import type { Machine, MachineConfig } from "./state";
import type { World } from "./world";

/** The API answers with what it made of a configuration: words for booleans, defaults filled in. */
function normalised(config: MachineConfig): MachineConfig {
  return {
    ...config,
    guest: { cpu_kind: "shared", cpus: 1, memory_mb: 256, ...config.guest },
    ...(config.services === undefined
      ? {}
      : {
          services: config.services.map((service) => ({
            ...service,
            // `off` and `stop` come back as booleans.
            ...(service.autostop === undefined
              ? {}
              : {
                  autostop: service.autostop === "off" ? false : service.autostop === "stop" ? true : service.autostop,
                }),
            force_instance_key: null,
          })),
        }),
    restart: { policy: "on-failure", max_retries: 10, ...config.restart },
  };
}

/** A machine as the API shows it. */
export function viewMachine(world: World, machine: Machine, withLease = false): Record<string, unknown> {
  const { registry, repository, tag } = imageParts(machine.config.image);
  const config = normalised(machine.config);
  const lease = withLease ? leaseOf(world, machine) : undefined;
  return {
    id: machine.id,
    name: machine.name,
    state: machine.state,
    region: machine.region,
    instance_id: machine.instanceId,
    version: machine.instanceId,
    private_ip: `fdaa:0:1:a7b:${machine.index.toString(16)}::2`,
    ...(machine.hostStatus === "ok" ? { config } : { config: null, incomplete_config: config }),
    image_ref: { registry, repository, tag, digest: machine.digest, labels: {} },
    created_at: new Date(machine.createdAt).toISOString(),
    updated_at: new Date(machine.updatedAt).toISOString(),
    events: machine.events.slice(0, 5),
    checks: machine.checks,
    cordoned: machine.cordoned,
    host_status: machine.hostStatus,
    ...(lease === undefined ? {} : { lease }),
  };
}
