import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { Schedule } from "@pulumi/aws/scheduler/schedule";
import { all, output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { partitionOf } from "./awsConfig";
import { tagsOf, type Ec2Host } from "./hosts";
import { awsName, rolePath } from "./names";
import { allow, policy, type PolicyDocument } from "./policies/document";
import { trustService } from "./policies/host";
import type { ScheduleSettings } from "./settings";

/** An instance that is stopped and started by the clock. */
interface Scheduled {
  readonly instanceId: Input<string>;
  readonly instanceArn: Input<string>;
}

/** Stops and starts a host's instance by EventBridge Scheduler, with a role that may do this to it alone. */
export function stopAndStart(parent: ComponentResource, host: Ec2Host, { instanceId, instanceArn }: Scheduled): void {
  const { name, region, stack, settings } = host;
  const { schedule } = settings;
  if (schedule === undefined) return;
  const roleArn = scheduleRole(parent, host, instanceArn);
  for (const verb of ["stop", "start"] as const) {
    new Schedule(
      `${name}-${verb}`,
      {
        region,
        name: awsName(stack, [name, verb], 64),
        description: `To save cost: ${verb} the host ${name} of ${stack}`,
        scheduleExpression: cronExpression(schedule, verb),
        scheduleExpressionTimezone: schedule.timeZone ?? "UTC",
        flexibleTimeWindow: { mode: "OFF" },
        target: {
          // EventBridge Scheduler user guide, "Using universal targets".
          arn: `arn:${partitionOf(region)}:scheduler:::aws-sdk:ec2:${verb}Instances`,
          roleArn,
          input: output(instanceId).apply((id) => JSON.stringify({ InstanceIds: [id] })),
        },
      },
      { parent },
    );
  }
}

/** `cron(0 19 ? * MON-FRI *)`: minute, hour, day of the month, month, day of the week, year (same guide, "Cron-based schedules"). */
export function cronExpression(schedule: ScheduleSettings, verb: "stop" | "start"): string {
  const [hour, minute] = (schedule[verb] ?? "").split(":").map(Number);
  const dates = schedule.days === undefined ? "* * ?" : `? * ${schedule.days}`;
  return `cron(${minute ?? 0} ${hour ?? 0} ${dates} *)`;
}

function scheduleRole(parent: ComponentResource, { name, stack }: Ec2Host, instanceArn: Input<string>): Output<string> {
  const roleName = awsName(stack, [name, "schedule"], 64);
  const role = new Role(
    `${name}-schedule-role`,
    {
      name: roleName,
      path: rolePath(stack),
      description: `Stops and starts the host ${name} of Homeport's stack ${stack}`,
      assumeRolePolicy: output(instanceArn).apply((arn) => JSON.stringify(schedulerTrust(arn))),
      tags: tagsOf(stack, name),
    },
    { parent },
  );
  const rights = new RolePolicy(
    `${name}-schedule-policy`,
    {
      name: roleName,
      role: role.name,
      policy: output(instanceArn).apply((arn) => JSON.stringify(schedulePolicy(arn))),
    },
    { parent },
  );
  return all([role.arn, rights.id]).apply(([arn]) => arn);
}

/** Another account's schedules can't use the role (same guide, "Confused deputy prevention"). */
export function schedulerTrust(instanceArn: string): PolicyDocument {
  const { Statement, ...rest } = trustService("scheduler.amazonaws.com");
  const Condition = { StringEquals: { "aws:SourceAccount": instanceArn.split(":")[4] ?? "" } };
  return { ...rest, Statement: Statement.map((one) => ({ ...one, Condition })) };
}

export const schedulePolicy = (instanceArn: string): PolicyDocument =>
  policy(allow("StopAndStart", ["ec2:StartInstances", "ec2:StopInstances"], instanceArn));
