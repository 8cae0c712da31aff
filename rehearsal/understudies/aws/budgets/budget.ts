import type { Budget, BudgetType, Notification, NotificationWithSubscribers, TimeUnit } from "@aws-sdk/client-budgets";
import type { Api } from "../api";
import { resource } from "../resource";
import { type ValuesOf, block, map, number, set, text } from "../schema";
import { ifThere, removed } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

const notification = {
  comparisonOperator: text({ required: true, oneOf: ["EQUAL_TO", "GREATER_THAN", "LESS_THAN"] }),
  notificationType: text({ required: true, oneOf: ["ACTUAL", "FORECASTED"] }),
  subscriberEmailAddresses: set(text()),
  subscriberSnsTopicArns: set(text()),
  threshold: number({ required: true }),
  thresholdType: text({ required: true, oneOf: ["PERCENTAGE", "ABSOLUTE_VALUE"] }),
};

const inputs = {
  accountId: text({ replaces: true, computed: true }),
  budgetType: text({
    required: true,
    oneOf: ["USAGE", "COST", "RI_UTILIZATION", "RI_COVERAGE", "SAVINGS_PLANS_UTILIZATION", "SAVINGS_PLANS_COVERAGE"],
  }),
  costFilters: set(block({ name: text({ required: true }), values: set(text(), { required: true }) }), {
    computed: true,
  }),
  limitAmount: text({ computed: true }),
  limitUnit: text({ computed: true }),
  name: text({ replaces: true, computed: true }),
  notifications: set(block(notification)),
  tags: map(),
  timePeriodEnd: text({ computed: true }),
  timePeriodStart: text({ computed: true }),
  timeUnit: text({ required: true, oneOf: ["MONTHLY", "QUARTERLY", "ANNUALLY", "DAILY", "CUSTOM"] }),
};

type Inputs = ValuesOf<typeof inputs>;
type Wanted = ValuesOf<typeof notification>;

/** Times as the official provider has them: 2026-01-31_12:00. */
const timeOf = (given: string): Date => new Date(`${given.replace("_", "T")}:00Z`);
const shown = (time: Date | undefined): string | undefined => time?.toISOString().slice(0, 16).replace("T", "_");

const budgetOf = (wanted: Inputs): Budget => ({
  BudgetName: wanted.name,
  BudgetType: wanted.budgetType as BudgetType,
  TimeUnit: wanted.timeUnit as TimeUnit,
  ...(wanted.limitAmount === undefined ? {} : { BudgetLimit: { Amount: wanted.limitAmount, Unit: wanted.limitUnit } }),
  ...(wanted.costFilters === undefined
    ? {}
    : // eslint-disable-next-line @typescript-eslint/no-deprecated -- what the official provider sends
      { CostFilters: Object.fromEntries(wanted.costFilters.map(({ name, values }) => [name, [...values]])) }),
  ...(wanted.timePeriodStart === undefined && wanted.timePeriodEnd === undefined
    ? {}
    : {
        TimePeriod: {
          Start: wanted.timePeriodStart === undefined ? undefined : timeOf(wanted.timePeriodStart),
          End: wanted.timePeriodEnd === undefined ? undefined : timeOf(wanted.timePeriodEnd),
        },
      }),
});

const notificationOf = (wanted: Wanted): NotificationWithSubscribers => ({
  Notification: {
    ComparisonOperator: wanted.comparisonOperator as "GREATER_THAN",
    NotificationType: wanted.notificationType as "ACTUAL",
    Threshold: wanted.threshold,
    ThresholdType: wanted.thresholdType as "PERCENTAGE",
  },
  Subscribers: [
    ...(wanted.subscriberEmailAddresses ?? []).map((Address) => ({ SubscriptionType: "EMAIL" as const, Address })),
    ...(wanted.subscriberSnsTopicArns ?? []).map((Address) => ({ SubscriptionType: "SNS" as const, Address })),
  ],
});

interface Seen {
  readonly notification: Notification;
  readonly wanted: Wanted;
}

async function notificationsOf(api: Api, AccountId: string, BudgetName: string): Promise<Seen[]> {
  const budgets = await api.client("budgets");
  const { Notifications = [] } = await budgets.describeNotificationsForBudget({ AccountId, BudgetName });
  const seen: Seen[] = [];
  for (const each of Notifications) {
    const given = { AccountId, BudgetName, Notification: each };
    const { Subscribers = [] } = await budgets.describeSubscribersForNotification(given);
    const of = (type: string): string[] =>
      Subscribers.filter(({ SubscriptionType }) => SubscriptionType === type).map(({ Address }) => Address ?? "");
    const wanted = {
      comparisonOperator: each.ComparisonOperator!,
      notificationType: each.NotificationType!,
      threshold: each.Threshold!,
      thresholdType: each.ThresholdType ?? "PERCENTAGE",
      subscriberEmailAddresses: of("EMAIL"),
      subscriberSnsTopicArns: of("SNS"),
    };
    seen.push({ notification: each, wanted });
  }
  return seen;
}

/** aws.budgets.Budget. Its id is `<account>:<name>`. */
export const budget = resource({
  token: "aws:budgets/budget:Budget",
  regional: false,
  inputs,
  outputs: ["arn", "tagsAll"],
  autoname: { property: "name", longest: 100 },
  check: ({ limitAmount }) =>
    limitAmount === undefined || /^\d+(\.\d+)?$/.test(limitAmount)
      ? []
      : [{ property: "limitAmount", reason: `expected an amount such as "50", got "${limitAmount}"` }],
  async create(api, wanted, made) {
    const budgets = await api.client("budgets");
    const AccountId = wanted.accountId ?? (await api.account());
    await budgets.createBudget({
      AccountId,
      Budget: budgetOf(wanted),
      NotificationsWithSubscribers: (wanted.notifications ?? []).map(notificationOf),
      ...(Object.keys(wanted.tags ?? {}).length === 0 ? {} : { ResourceTags: tagList(wanted.tags) }),
    });
    made(`${AccountId}:${wanted.name!}`);
    return `${AccountId}:${wanted.name!}`;
  },
  async read(api, id, state) {
    const budgets = await api.client("budgets");
    const [AccountId = "", ...name] = id.split(":");
    const BudgetName = name.join(":");
    const found = (await ifThere(budgets.describeBudget({ AccountId, BudgetName })))?.Budget;
    if (found === undefined) return undefined;
    const arn = `arn:${api.partition}:budgets::${AccountId}:budget/${BudgetName}`;
    const { ResourceTags } = await budgets.listTagsForResource({ ResourceARN: arn });
    return {
      accountId: AccountId,
      arn,
      budgetType: found.BudgetType,
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- as above
      costFilters: Object.entries(found.CostFilters ?? {}).map(([each, values]) => ({ name: each, values })),
      limitAmount: amountAsGiven(found.BudgetLimit?.Amount, state["limitAmount"]),
      limitUnit: found.BudgetLimit?.Unit,
      name: BudgetName,
      notifications: (await notificationsOf(api, AccountId, BudgetName)).map(({ wanted }) => wanted),
      timePeriodEnd: shown(found.TimePeriod?.End),
      timePeriodStart: shown(found.TimePeriod?.Start),
      timeUnit: found.TimeUnit,
      ...observedTags(ResourceTags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const budgets = await api.client("budgets");
    const [AccountId = ""] = id.split(":");
    const BudgetName = news.name!;
    if ([...changed].some((name) => name !== "notifications" && name !== "tags")) {
      await budgets.updateBudget({ AccountId, NewBudget: budgetOf(news) });
    }
    if (changed.has("notifications")) {
      for (const { notification: Notification } of await notificationsOf(api, AccountId, BudgetName)) {
        await removed(budgets.deleteNotification({ AccountId, BudgetName, Notification }));
      }
      for (const each of news.notifications ?? []) {
        await budgets.createNotification({ AccountId, BudgetName, ...notificationOf(each) });
      }
    }
    const ResourceARN = String(olds["arn"]);
    await changeTags(
      olds,
      news,
      (tags) => budgets.tagResource({ ResourceARN, ResourceTags: tagList(tags) }),
      (ResourceTagKeys) => budgets.untagResource({ ResourceARN, ResourceTagKeys }),
    );
  },
  async remove(api, id) {
    const budgets = await api.client("budgets");
    const [AccountId = "", ...name] = id.split(":");
    await removed(budgets.deleteBudget({ AccountId, BudgetName: name.join(":") }));
  },
});

/** AWS gives an amount back as it counts it: "50.0" for "50". */
const amountAsGiven = (actual: string | undefined, given: unknown): string | undefined =>
  typeof given === "string" && Number(given) === Number(actual) ? given : actual;
