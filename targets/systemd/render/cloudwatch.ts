import type { HostPlan } from "../plan";
import { toolConfig } from "./envFile";
import { toolHardening } from "./hardening";
import { config, tools, unitFile } from "./names";
import { rootFile, type InstalledFile } from "./stageFile";
import { description, execLine, unitText } from "./unitText";

/** A host's unit that runs the `cloudwatch` tool for all of its apps. */
export const cloudwatchTimer = "homeport-cloudwatch.timer";

/** The host's own files for CloudWatch; they come with the apps that are told to use it. */
export const cloudwatchFiles = (plan: HostPlan): readonly InstalledFile[] =>
  plan.monitoring === undefined
    ? []
    : [
        rootFile(unitFile("homeport-cloudwatch.service"), 0o644, service),
        rootFile(unitFile(cloudwatchTimer), 0o644, timer),
      ];

/** Where the app's logs and the host's figures go (LAYOUT.md, Host tools). */
export function cloudwatchConfig(plan: HostPlan): readonly InstalledFile[] {
  if (plan.monitoring === undefined) return [];
  const { region, endpoint, namespace, dimensions, logGroup } = plan.monitoring;
  const text = toolConfig({
    REGION: region,
    ENDPOINT: endpoint,
    NAMESPACE: namespace,
    DIMENSIONS: Object.entries(dimensions)
      .map(([name, value]) => `${dimension(name)}=${dimension(value)}`)
      .join(","),
    LOG_GROUP: logGroup,
  });
  return [rootFile(config(plan, "cloudwatch"), 0o600, text)];
}

function dimension(text: string): string {
  if (!/[,=]/.test(text)) return text;
  throw new Error(`"${text}" can't name a metric's dimension: neither comma nor equals sign.`);
}

const service = unitText("Sends this host's figures and its apps' logs to CloudWatch.", [
  [
    "Unit",
    [
      description("Homeport to CloudWatch"),
      ["After", "network-online.target"],
      ["OnFailure", "homeport-alert@%n.service"],
    ],
  ],
  [
    "Service",
    [
      ["Type", "oneshot"],
      ["ExecStart", execLine([`${tools}/cloudwatch`])],
      ["TimeoutStartSec", "15min"],
      // Each minute's start and end would be most of a quiet host's journal.
      ["LogLevelMax", "notice"],
      ["Nice", "10"],
      ["IOSchedulingPriority", "7"],
      ...toolHardening,
    ],
  ],
]);

const timer = unitText("CloudWatch, each minute.", [
  ["Unit", [description("Homeport to CloudWatch")]],
  [
    "Timer",
    [
      ["OnCalendar", "*-*-* *:*:00"],
      // Hosts needn't all call at the same second.
      ["RandomizedDelaySec", "20"],
      ["FixedRandomDelay", "true"],
      ["AccuracySec", "1s"],
    ],
  ],
  ["Install", [["WantedBy", "timers.target"]]],
]);
