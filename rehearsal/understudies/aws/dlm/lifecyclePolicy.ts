import type { PolicyDetails, Schedule } from "@aws-sdk/client-dlm";
import { resource } from "../resource";
import { type Values, type ValuesOf, block, flag, list, map, number, text } from "../schema";
import { ifThere, removed, retry } from "../steps";
import { changeTags, observedTagMap } from "../tags";

const details = {
  policyType: text({ default: "EBS_SNAPSHOT_MANAGEMENT", oneOf: ["EBS_SNAPSHOT_MANAGEMENT", "IMAGE_MANAGEMENT"] }),
  resourceLocations: text({ computed: true, oneOf: ["CLOUD", "OUTPOST", "LOCAL_ZONE"] }),
  resourceTypes: list(text({ oneOf: ["VOLUME", "INSTANCE"] })),
  parameters: block({ excludeBootVolume: flag(), noReboot: flag() }),
  schedules: list(
    block({
      copyTags: flag({ computed: true }),
      createRule: block(
        {
          cronExpression: text({ computed: true }),
          interval: number({ computed: true }),
          intervalUnit: text({ computed: true, oneOf: ["HOURS"] }),
          location: text({ computed: true }),
          times: text({ computed: true }),
        },
        { required: true },
      ),
      name: text({ required: true }),
      retainRule: block(
        { count: number(), interval: number(), intervalUnit: text({ oneOf: ["DAYS", "WEEKS", "MONTHS", "YEARS"] }) },
        { required: true },
      ),
      tagsToAdd: map({ computed: true }),
      variableTags: map(),
    }),
  ),
  targetTags: map(),
};

type Details = ValuesOf<typeof details>;

const tagList = (tags: Readonly<Record<string, string>> | undefined): { Key: string; Value: string }[] | undefined =>
  tags === undefined ? undefined : Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const tagMap = (
  tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined,
): Values | undefined =>
  tags === undefined || tags.length === 0
    ? undefined
    : Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? "", Value]));

const sent = (wanted: Details): PolicyDetails => ({
  PolicyType: wanted.policyType as "EBS_SNAPSHOT_MANAGEMENT",
  ...(wanted.resourceLocations === undefined ? {} : { ResourceLocations: [wanted.resourceLocations as "CLOUD"] }),
  ResourceTypes: wanted.resourceTypes as "VOLUME"[] | undefined,
  TargetTags: tagList(wanted.targetTags),
  ...(wanted.parameters === undefined
    ? {}
    : {
        Parameters: {
          ExcludeBootVolume: wanted.parameters.excludeBootVolume,
          NoReboot: wanted.parameters.noReboot,
        },
      }),
  Schedules: wanted.schedules?.map((schedule) => ({
    Name: schedule.name,
    CopyTags: schedule.copyTags,
    CreateRule: {
      CronExpression: schedule.createRule.cronExpression,
      Interval: schedule.createRule.interval,
      IntervalUnit: schedule.createRule.intervalUnit as "HOURS" | undefined,
      Location: schedule.createRule.location as "CLOUD" | undefined,
      ...(schedule.createRule.times === undefined ? {} : { Times: [schedule.createRule.times] }),
    },
    RetainRule: {
      Count: schedule.retainRule.count,
      Interval: schedule.retainRule.interval,
      IntervalUnit: schedule.retainRule.intervalUnit as "DAYS" | undefined,
    },
    TagsToAdd: tagList(schedule.tagsToAdd),
    VariableTags: tagList(schedule.variableTags),
  })),
});

const seenSchedule = (schedule: Schedule): Values => ({
  name: schedule.Name,
  copyTags: schedule.CopyTags,
  createRule: {
    cronExpression: schedule.CreateRule?.CronExpression,
    interval: schedule.CreateRule?.Interval,
    intervalUnit: schedule.CreateRule?.IntervalUnit,
    location: schedule.CreateRule?.Location,
    times: schedule.CreateRule?.Times?.[0],
  },
  retainRule: {
    count: schedule.RetainRule?.Count,
    interval: schedule.RetainRule?.Interval,
    intervalUnit: schedule.RetainRule?.IntervalUnit,
  },
  tagsToAdd: tagMap(schedule.TagsToAdd),
  variableTags: tagMap(schedule.VariableTags),
});

/** aws.dlm.LifecyclePolicy: snapshots on a schedule, as far as volumes and instances with certain tags go. */
export const lifecyclePolicy = resource({
  token: "aws:dlm/lifecyclePolicy:LifecyclePolicy",
  inputs: {
    description: text({ required: true }),
    executionRoleArn: text({ required: true }),
    policyDetails: block(details, { required: true }),
    state: text({ default: "ENABLED", oneOf: ["ENABLED", "DISABLED"] }),
    tags: map(),
  },
  outputs: ["arn", "tagsAll"],
  check: ({ description, policyDetails }) => [
    ...(description === undefined || /^[0-9A-Za-z _-]{1,500}$/.test(description)
      ? []
      : [{ property: "description", reason: "only letters, digits, spaces, _ and -, 500 at most" }]),
    ...(policyDetails?.schedules ?? []).flatMap(({ createRule: { interval, cronExpression, times } }, index) => {
      const property = `policyDetails.schedules[${index}].createRule`;
      if ((interval === undefined) === (cronExpression === undefined)) {
        return [{ property, reason: "exactly one of interval and cronExpression is to be given" }];
      }
      if (interval !== undefined && ![1, 2, 3, 4, 6, 8, 12, 24].includes(interval)) {
        return [{ property: `${property}.interval`, reason: `expected 1, 2, 3, 4, 6, 8, 12 or 24, got ${interval}` }];
      }
      return times === undefined || /^([01]\d|2[0-3]):[0-5]\d$/.test(times)
        ? []
        : [{ property: `${property}.times`, reason: `expected a time of day such as "03:00", got "${times}"` }];
    }),
  ],
  async create(api, inputs) {
    const dlm = await api.client("dlm");
    // The role may have been made just before.
    const { PolicyId } = await retry(api, /InvalidRequest.*role/i, () =>
      dlm.createLifecyclePolicy({
        Description: inputs.description,
        ExecutionRoleArn: inputs.executionRoleArn,
        PolicyDetails: sent(inputs.policyDetails),
        State: inputs.state as "ENABLED",
        Tags: inputs.tags,
      }),
    );
    return PolicyId ?? "";
  },
  async read(api, id) {
    const dlm = await api.client("dlm");
    const found = (await ifThere(dlm.getLifecyclePolicy({ PolicyId: id })))?.Policy;
    if (found === undefined) return undefined;
    const given = found.PolicyDetails;
    return {
      arn: found.PolicyArn,
      description: found.Description,
      executionRoleArn: found.ExecutionRoleArn,
      state: found.State,
      policyDetails: {
        policyType: given?.PolicyType ?? "EBS_SNAPSHOT_MANAGEMENT",
        resourceLocations: given?.ResourceLocations?.[0],
        resourceTypes: given?.ResourceTypes,
        parameters:
          given?.Parameters === undefined
            ? undefined
            : { excludeBootVolume: given.Parameters.ExcludeBootVolume, noReboot: given.Parameters.NoReboot },
        schedules: given?.Schedules?.map(seenSchedule),
        targetTags: tagMap(given?.TargetTags),
      },
      ...observedTagMap(found.Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const dlm = await api.client("dlm");
    if ([...changed].some((name) => name !== "tags")) {
      await dlm.updateLifecyclePolicy({
        PolicyId: id,
        Description: news.description,
        ExecutionRoleArn: news.executionRoleArn,
        PolicyDetails: sent(news.policyDetails),
        State: news.state as "ENABLED",
      });
    }
    const ResourceArn = String(olds["arn"]);
    await changeTags(
      olds,
      news,
      (tags) => dlm.tagResource({ ResourceArn, Tags: { ...tags } }),
      (TagKeys) => dlm.untagResource({ ResourceArn, TagKeys }),
    );
  },
  async remove(api, id) {
    const dlm = await api.client("dlm");
    await removed(dlm.deleteLifecyclePolicy({ PolicyId: id }));
  },
});
