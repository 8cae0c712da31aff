import { namePrefix } from "../../names";
import { allow, type Statement } from "../document";
import { forStack, ofStack, regional, type GithubScope } from "./scope";

/** Logs, alarms, snapshots, schedules and the budget. */
export function watching(scope: GithubScope): Statement[] {
  const { partition, account, stack } = scope;
  const prefix = namePrefix(stack);
  const arn = (service: string, rest: string, region = "*") =>
    `arn:${partition}:${service}:${region}:${account}:${rest}`;
  return [
    allow("Groups", ["logs:DescribeLogGroups"], arn("logs", "log-group:*"), regional(scope)),
    allow(
      "Logs",
      [
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
      ],
      arn("logs", `log-group:/homeport/${stack}/*`),
    ),
    allow(
      "Alarms",
      [
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:ListTagsForResource",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
      ],
      arn("cloudwatch", `alarm:${prefix}*`),
    ),
    allow(
      "Topics",
      [
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:ListTagsForResource",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
        "sns:TagResource",
      ],
      arn("sns", `${prefix}*`),
    ),
    // Of these three AWS can't say on what (Service Authorization Reference, Amazon SNS and Data Lifecycle Manager).
    allow("Subscriptions", ["sns:GetSubscriptionAttributes", "sns:Unsubscribe"], "*", regional(scope)),
    allow("NewSnapshots", ["dlm:CreateLifecyclePolicy"], "*", forStack(stack)),
    allow(
      "Snapshots",
      ["dlm:DeleteLifecyclePolicy", "dlm:GetLifecyclePolicy", "dlm:TagResource", "dlm:UpdateLifecyclePolicy"],
      arn("dlm", "policy/*"),
      ofStack(stack),
    ),
    allow(
      "Schedules",
      ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"],
      arn("scheduler", `schedule/default/${prefix}*`),
    ),
    allow(
      "Budgets",
      ["budgets:ListTagsForResource", "budgets:ModifyBudget", "budgets:TagResource", "budgets:ViewBudget"],
      arn("budgets", `budget/${prefix}*`, ""),
    ),
  ];
}
