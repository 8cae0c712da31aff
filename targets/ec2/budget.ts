import { Budget } from "@pulumi/aws/budgets";
import type { ComponentResource } from "@pulumi/pulumi";
import { awsName } from "./names";

export interface BudgetArgs {
  readonly stack: string;
  /** US dollars a month. */
  readonly usd: number;
  /** Who is written to, ten at most (AWS Budgets quotas). */
  readonly emails: readonly string[];
}

/**
 * Writes when 80 % of the month's money are spent, and when the month is expected to cost more than all of it. It counts
 * the account's whole cost: a filter by tag counts nothing until somebody has activated the tag for billing.
 */
export function monthlyBudget(parent: ComponentResource, { stack, usd, emails }: BudgetArgs): void {
  const notify = (notificationType: "ACTUAL" | "FORECASTED", threshold: number) => ({
    notificationType,
    threshold,
    thresholdType: "PERCENTAGE",
    comparisonOperator: "GREATER_THAN",
    subscriberEmailAddresses: [...emails],
  });
  new Budget(
    "monthly-budget",
    {
      name: awsName(stack, ["monthly"], 100),
      budgetType: "COST",
      timeUnit: "MONTHLY",
      limitAmount: String(usd),
      limitUnit: "USD",
      notifications: [notify("ACTUAL", 80), notify("FORECASTED", 100)],
      tags: { "homeport:stack": stack },
    },
    { parent },
  );
}
