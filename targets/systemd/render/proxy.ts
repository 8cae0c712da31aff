import type { HostPlan, PlannedService } from "../plan";
import { instancePort, instances, portToken, slots, type Slot } from "./names";

/** Name of a service's backend, which tools find its servers by (`<slot>-<n>`). */
export const backendName = (plan: HostPlan, service: PlannedService): string => `${plan.id}-${service.name}`;

/** The app's part of the proxy; undefined where no service listens. */
export function proxyText(plan: HostPlan): string | undefined {
  const listening = plan.services.filter((service) => service.listens);
  if (listening.length === 0) return undefined;
  const parts = listening.map((service) => frontend(plan, service) + backend(plan, service));
  return `# Services of ${plan.id}. Written by Homeport: a change made here is lost with the next deploy.\n${parts.join("")}`;
}

/** Checks and the app's other services come by the loopback port, whatever is open to others. */
function frontend(plan: HostPlan, service: PlannedService): string {
  const name = backendName(plan, service);
  const open =
    service.publicPort === undefined
      ? ""
      : `  bind :${service.publicPort}
.if defined(HOMEPORT_IPV6)
  bind [::]:${service.publicPort} v6only
.endif
`;
  return `
frontend ${name}
  bind 127.0.0.1:${portToken(service.name)}
${open}  http-request del-header X-Forwarded-For
  http-request set-header X-Forwarded-Proto http
  default_backend ${name}
`;
}

/**
 * Servers of both slots; the host opens those of the slot that serves. Nothing is checked where there is one instance, as
 * an error of the app's own says more than ours; of several, one that refuses connections is left out.
 */
function backend(plan: HostPlan, service: PlannedService): string {
  const name = backendName(plan, service);
  const several = service.instances > 1;
  // One name for both slots: a browser of a slot that is drained is moved by overwriting its cookie.
  const sticky = service.sticky ? `  cookie ${name} insert indirect nocache httponly\n` : "";
  return `
backend ${name}
  balance ${several ? "leastconn" : "roundrobin"}
${sticky}${slots.map((slot) => servers(service, slot, several)).join("")}`;
}

const servers = (service: PlannedService, slot: Slot, several: boolean): string =>
  instances(service)
    .map((n) => {
      const options = [
        ...(service.sticky ? [`cookie ${slot}-${n}`] : []),
        ...(several ? ["check inter 5s fall 2 rise 1"] : []),
        `@@disabled:${service.name}/${slot}@@`,
      ];
      return `  server ${slot}-${n} 127.0.0.1:${portToken(instancePort(service, slot, n))} ${options.join(" ")}\n`;
    })
    .join("");

/** Host names and the backends that answer for them, a line each; empty where the app has none. */
export const domainMap = (plan: HostPlan): string =>
  domains(plan)
    .map(([domain, service]) => `${domain} ${backendName(plan, service)}\n`)
    .join("");

export const domainList = (plan: HostPlan): string =>
  domains(plan)
    .map(([domain]) => `${domain}\n`)
    .join("");

function domains(plan: HostPlan): (readonly [domain: string, service: PlannedService])[] {
  return plan.services.flatMap((service) => {
    if (service.domain === undefined) return [];
    const domain = service.domain.toLowerCase();
    if (!/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$/.test(domain)) {
      throw new Error(`"${service.domain}" of ${plan.app}.${service.name} is no host name, such as shop.example.com.`);
    }
    return [[domain, service] as const];
  });
}
