/** An alarm on an instance, apart from its name and whom it tells. */
export interface HostAlarm {
  /** Last part of its name. */
  readonly label: string;
  /** What it means and what to do, in the e-mail. */
  readonly alarmDescription: string;
  readonly namespace: string;
  readonly metricName: string;
  /** Besides InstanceId. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Maximum" | "Minimum" | "Average" | "Sum";
  /** Seconds. */
  readonly period: number;
  readonly evaluationPeriods: number;
  readonly threshold: number;
  /** True where low values alarm. @default false: high ones do */
  readonly below?: boolean;
  /** What AWS does by itself. */
  readonly actions: readonly string[];
}

/** The host's metric of used space, in percent, told apart by InstanceId and Path. */
export const diskMetric = "DiskUsedPercent";

/** A file system whose space is looked at. */
export interface WatchedDisk {
  readonly path: string;
  /** The commands that give it more room. */
  readonly growth: string;
}

export interface AlarmWishes {
  readonly region: string;
  readonly burstable: boolean;
  readonly namespace: string;
  readonly disks: readonly WatchedDisk[];
  readonly diskAlarm?: number;
  readonly restart?: boolean;
}

/** The alarms that a host is to have. Pure. */
export function hostAlarms({
  region,
  burstable,
  namespace,
  disks,
  diskAlarm = 0.8,
  restart = true,
}: AlarmWishes): HostAlarm[] {
  const act = (what: string): string[] => (restart ? [`arn:aws:automate:${region}:ec2:${what}`] : []);
  const percent = Math.round(diskAlarm * 100);
  return [
    // Two minutes for a recovery and three for a reboot, so that the two don't meet (EC2 user guide, "Add reboot actions to
    // Amazon CloudWatch alarms").
    status("system-check", "System", 2, act("recover"), "AWS's hardware or network below the instance has a fault."),
    status("instance-check", "Instance", 3, act("reboot"), "The instance doesn't answer: look at its console."),
    status("disk-check", "AttachedEBS", 3, [], "The instance can't reach its disks."),
    ...(burstable ? creditAlarms : []),
    ...disks.map(({ path, growth }) => ({
      label: `disk-${path === "/" ? "root" : path.slice(1).replaceAll(/[^A-Za-z0-9]+/g, "-")}`,
      alarmDescription: `${path} is more than ${percent} % full: remove what isn't needed, or give it more room: ${growth}`,
      namespace,
      metricName: diskMetric,
      dimensions: { Path: path },
      statistic: "Maximum" as const,
      period: 300,
      evaluationPeriods: 2,
      threshold: percent,
      actions: [],
    })),
  ];
}

/** Status checks report each minute (EC2 user guide, "List the available CloudWatch metrics for your instances"). */
function status(
  label: string,
  of: "System" | "Instance" | "AttachedEBS",
  minutes: number,
  actions: readonly string[],
  alarmDescription: string,
): HostAlarm {
  return {
    label,
    alarmDescription,
    namespace: "AWS/EC2",
    metricName: `StatusCheckFailed_${of}`,
    dimensions: {},
    statistic: "Maximum",
    period: 60,
    evaluationPeriods: minutes,
    threshold: 1,
    actions,
  };
}

/** Credit metrics come every five minutes (EC2 user guide, "Monitor your CPU credits for burstable instances"). */
const creditAlarms: readonly HostAlarm[] = [
  {
    label: "cpu-credits",
    alarmDescription: "The CPU credits run out: it is throttled soon, or costs more. Is the type too small?",
    namespace: "AWS/EC2",
    metricName: "CPUCreditBalance",
    dimensions: {},
    statistic: "Minimum",
    period: 300,
    // An hour: a new instance starts without credits, and the smallest earns six an hour.
    evaluationPeriods: 12,
    threshold: 5,
    below: true,
    actions: [],
  },
  {
    label: "cpu-charges",
    alarmDescription: "CPU beyond the earned credits is being charged for. Is the type too small?",
    namespace: "AWS/EC2",
    metricName: "CPUSurplusCreditsCharged",
    dimensions: {},
    statistic: "Maximum",
    period: 300,
    evaluationPeriods: 3,
    threshold: 0.1,
    actions: [],
  },
];
