import type { HostPlan, PlannedService } from "../plan";
import { hostPath } from "./names";
import { settingPath } from "./unitText";

/** Rotation of the log files that services write themselves, logrotate(8); undefined where there are none. */
export function logrotateText(plan: HostPlan): string | undefined {
  const parts = new Set(plan.services.map((service) => part(plan, service)).filter((text) => text !== ""));
  return parts.size === 0 ? undefined : `# Log files of ${plan.id}. Written by Homeport.\n${[...parts].join("")}`;
}

/** copytruncate: programs keep their files open, and none is told of a new one. */
function part(plan: HostPlan, service: PlannedService): string {
  if (service.logs === undefined) return "";
  const { path, keep } = service.logs;
  return `"${settingPath(hostPath(plan, service, path))}/*.log" {
  su ${plan.user} ${plan.user}
  daily
  rotate ${keep}
  maxage ${keep}
  compress
  delaycompress
  missingok
  notifempty
  copytruncate
}
`;
}
