import type { LogGroup } from "@pulumi/aws/cloudwatch";
import { all, output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import type { Monitoring } from "../systemd/host";
import { endpointOf, type AwsConnection } from "./awsConfig";
import type { Ec2Host } from "./hosts";
import type { HostRole } from "./identity";
import { metricsOf } from "./opened";
import type { Ec2Settings } from "./settings";
import { logGroups } from "./watching";

/** The log groups of a host's apps, by app. */
export function logGroupsOf(
  parent: ComponentResource,
  { apps, stack, region, protect }: Ec2Host,
  { logDays }: Ec2Settings,
): Record<string, LogGroup> {
  const names = apps.map(({ declaration }) => declaration.name);
  return logGroups(parent, { apps: names, stack, region, days: logDays, live: protect });
}

/** Where a host puts its logs and figures, and sends its alerts; known once its role may do so. */
export function monitoringOf(
  { region, stack }: Ec2Host,
  aws: AwsConnection,
  instanceId: Input<string>,
  groups: Readonly<Record<string, LogGroup>>,
  role: HostRole,
  topicArn: Input<string> | undefined,
): Output<Monitoring> {
  const names = Object.fromEntries(Object.entries(groups).map(([app, { name }]) => [app, name]));
  const { endpoints } = aws;
  const endpoint = endpoints["logs"] ?? endpoints["cloudwatch"];
  const known = all([instanceId, all(names), output(topicArn), role.granted]).apply(
    ([InstanceId, logGroupNames, arn]): Monitoring => ({
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      namespace: metricsOf(stack),
      dimensions: { InstanceId },
      logGroups: logGroupNames,
      ...(arn === undefined ? {} : { topic: { arn, region, ...endpointOf(aws, "sns") } }),
    }),
  );
  return known;
}
