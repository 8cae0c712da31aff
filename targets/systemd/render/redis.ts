import type { HostPlan, PlannedDatabase } from "../plan";
import { needsDisk } from "./dataDisk";
import { hardening } from "./hardening";
import { config, portToken, slice } from "./names";
import { hex } from "./quote";
import { description, execLine, unitText } from "./unitText";

export type Redis = Extract<PlannedDatabase, { engine: "redis" }>;

export const redisConfigPath = (plan: HostPlan, redis: Redis): string => config(plan, `redis-${redis.name}.conf`);

/** A server of the app's own: a password per app would be no wall between apps in a shared one. */
export function redisUnitText(plan: HostPlan, redis: Redis): string {
  // The configuration is a credential, as it holds the password and the app's user can't enter /etc/homeport.
  const start = 'exec @@redis@@ "$CREDENTIALS_DIRECTORY/redis.conf"';
  return unitText(`Redis "${redis.name}" of ${plan.id}.`, [
    [
      "Unit",
      [
        description(`${plan.id} redis ${redis.name}`),
        ["After", "network.target"],
        ...needsDisk(plan),
        ["StartLimitIntervalSec", "120"],
        ["StartLimitBurst", "10"],
        ["OnFailure", "homeport-alert@%n.service homeport-retry@%n.service"],
      ],
    ],
    [
      "Service",
      [
        ["Type", "notify"],
        ["ExecStart", execLine(["/bin/bash", "-c", start])],
        ["LoadCredential", `redis.conf:${redisConfigPath(plan, redis)}`],
        ["User", plan.user],
        ["Slice", slice(plan)],
        ["StateDirectory", `${plan.id}/.redis-${redis.name}`],
        ["StateDirectoryMode", "0700"],
        // A snapshot's copied pages come on top of the data.
        ["MemoryMax", `${redis.memoryMib * 2 + 64}M`],
        ["TasksMax", "64"],
        ["LimitNOFILE", "65536"],
        ...hardening,
        ["SyslogIdentifier", `${plan.id}-redis-${redis.name}`],
        ["TimeoutStopSec", "60"],
        ["Restart", "always"],
        ["RestartSec", "3"],
      ],
    ],
    ["Install", [["WantedBy", "multi-user.target"]]],
  ]);
}

/** Redis' configuration. Queues and sessions are to survive a restart, and to be refused rather than silently dropped. */
export function redisConfig(plan: HostPlan, redis: Redis): string {
  return `# Redis "${redis.name}" of ${plan.id}. Written by Homeport.
bind 127.0.0.1
port ${portToken(redis.name)}
protected-mode yes
requirepass ${redisString(redis.password)}
supervised systemd
daemonize no
logfile ""
dir /var/lib/${plan.id}/.redis-${redis.name}
maxmemory ${redis.memoryMib}mb
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
`;
}

/** A quoted string of redis.conf, with C escapes. */
function redisString(text: string): string {
  const escaped = text.replace(/[\\"]/g, "\\$&");
  // eslint-disable-next-line no-control-regex
  return `"${escaped.replace(/[\u0000-\u001f\u007f]/g, (c) => `\\x${hex(c)}`)}"`;
}
