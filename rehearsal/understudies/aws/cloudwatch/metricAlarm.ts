import type { Dimension, MetricAlarm, MetricDataQuery, StandardUnit, Statistic } from "@aws-sdk/client-cloudwatch";
import type { Api } from "../api";
import { resource } from "../resource";
import { type Values, type ValuesOf, block, flag, map, number, set, text } from "../schema";
import { removed } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

const inputs = {
  actionsEnabled: flag({ default: true }),
  alarmActions: set(text()),
  alarmDescription: text(),
  comparisonOperator: text({ required: true }),
  datapointsToAlarm: number(),
  dimensions: map(),
  evaluateLowSampleCountPercentiles: text({ computed: true, oneOf: ["evaluate", "ignore"] }),
  evaluationPeriods: number({ required: true }),
  extendedStatistic: text(),
  insufficientDataActions: set(text()),
  metricName: text(),
  metricQueries: set(
    block({
      accountId: text(),
      expression: text(),
      id: text({ required: true }),
      label: text(),
      metric: block({
        dimensions: map(),
        metricName: text({ required: true }),
        namespace: text(),
        period: number({ required: true }),
        stat: text({ required: true }),
        unit: text(),
      }),
      period: number(),
      returnData: flag({ default: false }),
    }),
  ),
  name: text({ replaces: true, computed: true }),
  namespace: text(),
  okActions: set(text()),
  period: number(),
  statistic: text(),
  tags: map(),
  threshold: number({ computed: true }),
  thresholdMetricId: text(),
  treatMissingData: text({ default: "missing", oneOf: ["breaching", "notBreaching", "ignore", "missing"] }),
  unit: text(),
};

type Inputs = ValuesOf<typeof inputs>;
type Query = NonNullable<Inputs["metricQueries"]>[number];

const dimensionList = (dimensions: Readonly<Record<string, string>> | undefined): Dimension[] =>
  Object.entries(dimensions ?? {}).map(([Name, Value]) => ({ Name, Value }));

const dimensionMap = (given: readonly Dimension[] | undefined): Values | undefined =>
  given === undefined || given.length === 0
    ? undefined
    : Object.fromEntries(given.map(({ Name, Value }) => [Name ?? "", Value]));

const queryOf = ({ metric, ...query }: Query): MetricDataQuery => ({
  AccountId: query.accountId,
  Expression: query.expression,
  Id: query.id,
  Label: query.label,
  Period: query.period,
  ReturnData: query.returnData,
  ...(metric === undefined
    ? {}
    : {
        MetricStat: {
          Metric: {
            Dimensions: dimensionList(metric.dimensions),
            MetricName: metric.metricName,
            Namespace: metric.namespace,
          },
          Period: metric.period,
          Stat: metric.stat,
          Unit: metric.unit as StandardUnit | undefined,
        },
      }),
});

const seenQuery = (query: MetricDataQuery): Values => ({
  accountId: query.AccountId,
  expression: query.Expression,
  id: query.Id,
  label: query.Label,
  period: query.Period,
  returnData: query.ReturnData ?? false,
  metric:
    query.MetricStat === undefined
      ? undefined
      : {
          dimensions: dimensionMap(query.MetricStat.Metric?.Dimensions),
          metricName: query.MetricStat.Metric?.MetricName,
          namespace: query.MetricStat.Metric?.Namespace,
          period: query.MetricStat.Period,
          stat: query.MetricStat.Stat,
          unit: query.MetricStat.Unit,
        },
});

async function put(api: Api, wanted: Inputs, extra: object): Promise<void> {
  const cloudwatch = await api.client("cloudwatch");
  await cloudwatch.putMetricAlarm({
    AlarmName: wanted.name,
    ActionsEnabled: wanted.actionsEnabled,
    AlarmActions: wanted.alarmActions,
    AlarmDescription: wanted.alarmDescription,
    ComparisonOperator: wanted.comparisonOperator as NonNullable<MetricAlarm["ComparisonOperator"]>,
    DatapointsToAlarm: wanted.datapointsToAlarm,
    ...(wanted.dimensions === undefined ? {} : { Dimensions: dimensionList(wanted.dimensions) }),
    EvaluateLowSampleCountPercentile: wanted.evaluateLowSampleCountPercentiles,
    EvaluationPeriods: wanted.evaluationPeriods,
    ExtendedStatistic: wanted.extendedStatistic,
    InsufficientDataActions: wanted.insufficientDataActions,
    MetricName: wanted.metricName,
    ...(wanted.metricQueries === undefined ? {} : { Metrics: wanted.metricQueries.map(queryOf) }),
    Namespace: wanted.namespace,
    OKActions: wanted.okActions,
    Period: wanted.period,
    Statistic: wanted.statistic as Statistic | undefined,
    Threshold: wanted.threshold,
    ThresholdMetricId: wanted.thresholdMetricId,
    TreatMissingData: wanted.treatMissingData,
    Unit: wanted.unit as StandardUnit | undefined,
    ...extra,
  });
}

/** aws.cloudwatch.MetricAlarm */
export const metricAlarm = resource({
  token: "aws:cloudwatch/metricAlarm:MetricAlarm",
  inputs,
  outputs: ["arn", "tagsAll"],
  autoname: { property: "name", longest: 255 },
  check: ({ statistic, extendedStatistic, metricQueries }) =>
    [statistic, extendedStatistic, metricQueries].filter((each) => each !== undefined).length > 1
      ? [{ property: "statistic", reason: "only one of statistic, extendedStatistic and metricQueries can be given" }]
      : [],
  lint: (wanted) => ({
    type: "AWS::CloudWatch::Alarm",
    properties: {
      ComparisonOperator: wanted.comparisonOperator,
      EvaluationPeriods: wanted.evaluationPeriods,
      Period: wanted.period,
      Statistic: wanted.statistic,
      Unit: wanted.unit,
      ...(wanted.metricQueries === undefined ? { MetricName: wanted.metricName, Namespace: wanted.namespace } : {}),
    },
  }),
  async create(api, wanted) {
    await put(api, wanted, { Tags: tagList(wanted.tags) });
    return wanted.name!;
  },
  async read(api, id) {
    const cloudwatch = await api.client("cloudwatch");
    const { MetricAlarms } = await cloudwatch.describeAlarms({ AlarmNames: [id], AlarmTypes: ["MetricAlarm"] });
    const found = MetricAlarms?.[0];
    if (found === undefined) return undefined;
    const { Tags } = await cloudwatch.listTagsForResource({ ResourceARN: found.AlarmArn });
    return {
      actionsEnabled: found.ActionsEnabled,
      alarmActions: found.AlarmActions ?? [],
      alarmDescription: found.AlarmDescription,
      arn: found.AlarmArn,
      comparisonOperator: found.ComparisonOperator,
      datapointsToAlarm: found.DatapointsToAlarm,
      dimensions: dimensionMap(found.Dimensions),
      evaluateLowSampleCountPercentiles: found.EvaluateLowSampleCountPercentile,
      evaluationPeriods: found.EvaluationPeriods,
      extendedStatistic: found.ExtendedStatistic,
      insufficientDataActions: found.InsufficientDataActions ?? [],
      metricName: found.MetricName,
      metricQueries: found.Metrics?.map(seenQuery) ?? [],
      name: found.AlarmName,
      namespace: found.Namespace,
      okActions: found.OKActions ?? [],
      period: found.Period,
      statistic: found.Statistic,
      threshold: found.Threshold,
      thresholdMetricId: found.ThresholdMetricId,
      treatMissingData: found.TreatMissingData ?? "missing",
      unit: found.Unit,
      ...observedTags(Tags),
    };
  },
  async update(api, _, { olds, news, changed }) {
    const cloudwatch = await api.client("cloudwatch");
    if ([...changed].some((name) => name !== "tags")) await put(api, news, {});
    const ResourceARN = String(olds["arn"]);
    await changeTags(
      olds,
      news,
      (tags) => cloudwatch.tagResource({ ResourceARN, Tags: tagList(tags) }),
      (TagKeys) => cloudwatch.untagResource({ ResourceARN, TagKeys }),
    );
  },
  async remove(api, id) {
    const cloudwatch = await api.client("cloudwatch");
    await removed(cloudwatch.deleteAlarms({ AlarmNames: [id] }));
  },
});
