import { LogGroup, MetricAlarm } from "@pulumi/aws/cloudwatch";
import { Topic, TopicPolicy, TopicSubscription } from "@pulumi/aws/sns";
import type { ComponentResource, Input } from "@pulumi/pulumi";
import { hostAlarms, type HostAlarm, type WatchedDisk } from "./alarms";
import { awsName, namePrefix } from "./names";
import { alarmTopicPolicy } from "./policies/host";

/** `/homeport/<stack>/<app>`, the log group of an app. */
export const logGroupName = (stack: string, app: string): string => `/homeport/${stack}/${app}`;

export interface LogGroupArgs {
  readonly apps: readonly string[];
  readonly stack: string;
  readonly region: string;
  /** Days that lines are kept. */
  readonly days: number;
  /** Keeps what the apps said from being deleted. */
  readonly live: boolean;
}

/** One log group for each app, by the app's name. CloudWatch encrypts them by itself. */
export function logGroups(parent: ComponentResource, args: LogGroupArgs): Record<string, LogGroup> {
  const { apps, stack, region, days, live } = args;
  return Object.fromEntries(
    apps.map((app) => [
      app,
      new LogGroup(
        `${app}-logs`,
        {
          name: logGroupName(stack, app),
          region,
          retentionInDays: days,
          tags: { "homeport:stack": stack, "homeport:app": app },
        },
        { parent, protect: live },
      ),
    ]),
  );
}

export interface WatchArgs {
  /** The host's name. */
  readonly name: string;
  readonly region: string;
  readonly stack: string;
  readonly instanceId: Input<string>;
  /** Whether the instance earns and spends CPU credits. */
  readonly burstable: boolean;
  /** Namespace that the host puts its own metrics into. */
  readonly namespace: string;
  /** The file systems that the host reports on. */
  readonly disks: readonly WatchedDisk[];
  readonly topicArn: Input<string> | undefined;
  /** Share of a disk's space, 0 to 1, that alarms. @default 0.8 */
  readonly diskAlarm?: number;
  /** False where AWS mustn't restart the instance by itself, as with adopted ones. @default true */
  readonly restart?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Alarms of a host: status checks, CPU credits, disks. */
export function watchHost(parent: ComponentResource, args: WatchArgs): void {
  const { name, region, stack, instanceId, topicArn } = args;
  for (const { label, actions, dimensions, ...alarm } of hostAlarms(args)) {
    const notify = topicArn === undefined ? [] : [topicArn];
    new MetricAlarm(
      `${name}-${label}`,
      {
        ...alarm,
        name: `${namePrefix(stack)}${name}/${label}`,
        region,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        ...comparison(alarm),
        dimensions: { InstanceId: instanceId, ...dimensions },
        alarmActions: [...actions, ...notify],
        // None for OK: CloudWatch sends it also when figures come in for the first time, or again after a stop.
        // A stopped instance reports nothing, which is no fault; when its host's timer stops, the host says so itself.
        treatMissingData: "missing",
        tags: { ...args.tags, "homeport:stack": stack, "homeport:host": name },
      },
      { parent },
    );
  }
}

const comparison = ({ below }: Partial<HostAlarm>) =>
  below === true ? { comparisonOperator: "LessThanOrEqualToThreshold" } : {};

export interface TopicArgs {
  readonly region: string;
  readonly stack: string;
  readonly emails: readonly string[];
}

/** Where a region's alarms go: each address is asked once by AWS and is written to after it has agreed. */
export function alarmTopic(parent: ComponentResource, { region, stack, emails }: TopicArgs): Topic {
  const topic = new Topic(
    `alarms-${region}`,
    { name: awsName(stack, ["alarms"], 256), region, tags: { "homeport:stack": stack } },
    { parent },
  );
  new TopicPolicy(
    `alarms-${region}-policy`,
    { arn: topic.arn, region, policy: topic.arn.apply((arn) => JSON.stringify(alarmTopicPolicy(arn))) },
    { parent },
  );
  for (const email of emails) {
    new TopicSubscription(
      `alarms-${region}-${email}`,
      { topic: topic.arn, region, protocol: "email", endpoint: email },
      { parent },
    );
  }
  return topic;
}
