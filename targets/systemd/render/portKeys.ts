import type { HostPlan } from "../plan";
import { instancePort, instances, slots } from "./names";

/** The loopback ports that the app needs on the host: stable ones, both slots' instances, its own databases. */
export const portKeys = (plan: HostPlan): readonly string[] => [
  ...plan.services
    .filter((service) => service.listens)
    .flatMap((service) => [
      service.name,
      ...slots.flatMap((slot) => instances(service).map((n) => instancePort(service, slot, n))),
    ]),
  ...plan.databases.filter(({ engine }) => engine === "redis").map(({ name }) => name),
];
