import { randomUUID } from "node:crypto";
import type { CreateScheduleCommandInput } from "@aws-sdk/client-scheduler";
import type { Failure } from "../resource";
import { resource } from "../resource";
import { type KnownOf, type ValuesOf, block, number, text } from "../schema";
import { ifThere, removed, retry } from "../steps";

const inputs = {
  actionAfterCompletion: text({ computed: true, oneOf: ["NONE", "DELETE"] }),
  description: text(),
  endDate: text(),
  flexibleTimeWindow: block(
    { maximumWindowInMinutes: number(), mode: text({ required: true, oneOf: ["OFF", "FLEXIBLE"] }) },
    { required: true },
  ),
  groupName: text({ replaces: true, computed: true }),
  kmsKeyArn: text(),
  name: text({ replaces: true, computed: true }),
  scheduleExpression: text({ required: true }),
  scheduleExpressionTimezone: text({ default: "UTC" }),
  startDate: text(),
  state: text({ default: "ENABLED", oneOf: ["ENABLED", "DISABLED"] }),
  target: block(
    {
      arn: text({ required: true }),
      deadLetterConfig: block({ arn: text({ required: true }) }),
      input: text(),
      retryPolicy: block(
        { maximumEventAgeInSeconds: number({ default: 86_400 }), maximumRetryAttempts: number({ default: 185 }) },
        { computed: true },
      ),
      roleArn: text({ required: true }),
    },
    { required: true },
  ),
};

type Inputs = ValuesOf<typeof inputs>;

const sent = (wanted: Inputs): Omit<CreateScheduleCommandInput, "Name"> => ({
  ActionAfterCompletion: wanted.actionAfterCompletion as "NONE" | undefined,
  Description: wanted.description,
  EndDate: wanted.endDate === undefined ? undefined : new Date(wanted.endDate),
  FlexibleTimeWindow: {
    MaximumWindowInMinutes: wanted.flexibleTimeWindow.maximumWindowInMinutes,
    Mode: wanted.flexibleTimeWindow.mode as "OFF",
  },
  KmsKeyArn: wanted.kmsKeyArn,
  ScheduleExpression: wanted.scheduleExpression,
  ScheduleExpressionTimezone: wanted.scheduleExpressionTimezone,
  StartDate: wanted.startDate === undefined ? undefined : new Date(wanted.startDate),
  State: wanted.state as "ENABLED",
  Target: {
    Arn: wanted.target.arn,
    ...(wanted.target.deadLetterConfig === undefined
      ? {}
      : { DeadLetterConfig: { Arn: wanted.target.deadLetterConfig.arn } }),
    Input: wanted.target.input,
    RoleArn: wanted.target.roleArn,
    ...(wanted.target.retryPolicy === undefined
      ? {}
      : {
          RetryPolicy: {
            MaximumEventAgeInSeconds: wanted.target.retryPolicy.maximumEventAgeInSeconds,
            MaximumRetryAttempts: wanted.target.retryPolicy.maximumRetryAttempts,
          },
        }),
  },
});

/** The forms are of https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
function check({ scheduleExpression, scheduleExpressionTimezone, target }: KnownOf<typeof inputs>): Failure[] {
  const failures: Failure[] = [];
  const forms = /^(at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)|rate\([1-9]\d* (minute|hour|day)s?\)|cron\((\S+ ){5}\S+\))$/;
  if (scheduleExpression !== undefined && !forms.test(scheduleExpression)) {
    const reason = `expected at(…), rate(…) or cron(…) with six fields, got "${scheduleExpression}"`;
    failures.push({ property: "scheduleExpression", reason });
  }
  try {
    Intl.DateTimeFormat("en", { timeZone: scheduleExpressionTimezone });
  } catch {
    const reason = `"${scheduleExpressionTimezone}" is no time zone`;
    failures.push({ property: "scheduleExpressionTimezone", reason });
  }
  const universal = /^arn:[\w-]+:scheduler:::aws-sdk:([a-z0-9]+):([A-Za-z]+)$/;
  const arn = target?.arn ?? "";
  if (arn.includes(":scheduler:::") && !universal.test(arn)) {
    failures.push({
      property: "target.arn",
      reason: `expected arn:aws:scheduler:::aws-sdk:<service>:<action>, got ${arn}`,
    });
  }
  const input = target?.input;
  if (universal.test(arn) && input !== undefined) {
    try {
      JSON.parse(input);
    } catch {
      failures.push({ property: "target.input", reason: "a universal target takes its input as JSON" });
    }
  }
  return failures;
}

/** aws.scheduler.Schedule. Its id is `<group>/<name>`. */
export const schedule = resource({
  token: "aws:scheduler/schedule:Schedule",
  inputs,
  outputs: ["arn"],
  autoname: { property: "name", longest: 64 },
  check,
  async create(api, wanted) {
    const scheduler = await api.client("scheduler");
    const GroupName = wanted.groupName ?? "default";
    const ClientToken = randomUUID();
    // The role may have been made just before.
    await retry(api, /ValidationException.*(assume|role)/i, () =>
      scheduler.createSchedule({ ...sent(wanted), Name: wanted.name, GroupName, ClientToken }),
    );
    return `${GroupName}/${wanted.name!}`;
  },
  async read(api, id) {
    const scheduler = await api.client("scheduler");
    const [GroupName, Name] = id.split("/");
    const found = await ifThere(scheduler.getSchedule({ GroupName, Name }));
    if (found === undefined) return undefined;
    const { Target: target, FlexibleTimeWindow: window } = found;
    return {
      actionAfterCompletion: found.ActionAfterCompletion,
      arn: found.Arn,
      description: found.Description,
      endDate: found.EndDate?.toISOString(),
      flexibleTimeWindow: { mode: window?.Mode, maximumWindowInMinutes: window?.MaximumWindowInMinutes },
      groupName: found.GroupName,
      kmsKeyArn: found.KmsKeyArn,
      name: found.Name,
      scheduleExpression: found.ScheduleExpression,
      scheduleExpressionTimezone: found.ScheduleExpressionTimezone ?? "UTC",
      startDate: found.StartDate?.toISOString(),
      state: found.State,
      target: {
        arn: target?.Arn,
        deadLetterConfig:
          target?.DeadLetterConfig?.Arn === undefined ? undefined : { arn: target.DeadLetterConfig.Arn },
        input: target?.Input,
        retryPolicy: {
          maximumEventAgeInSeconds: target?.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
          maximumRetryAttempts: target?.RetryPolicy?.MaximumRetryAttempts ?? 185,
        },
        roleArn: target?.RoleArn,
      },
    };
  },
  async update(api, id, { news }) {
    const scheduler = await api.client("scheduler");
    const [GroupName, Name] = id.split("/");
    await scheduler.updateSchedule({ ...sent(news), Name, GroupName, ClientToken: randomUUID() });
  },
  async remove(api, id) {
    const scheduler = await api.client("scheduler");
    const [GroupName, Name] = id.split("/");
    await removed(scheduler.deleteSchedule({ GroupName, Name, ClientToken: randomUUID() }));
  },
});
