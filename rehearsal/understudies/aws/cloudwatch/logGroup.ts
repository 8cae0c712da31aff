import { resource } from "../resource";
import { flag, map, number, text } from "../schema";
import { removed } from "../steps";
import { changeTags, observedTagMap } from "../tags";

/** aws.cloudwatch.LogGroup */
export const logGroup = resource({
  token: "aws:cloudwatch/logGroup:LogGroup",
  inputs: {
    kmsKeyId: text(),
    logGroupClass: text({ replaces: true, computed: true, oneOf: ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"] }),
    name: text({ replaces: true, computed: true }),
    retentionInDays: number({ default: 0 }),
    skipDestroy: flag({ default: false }),
    tags: map(),
  },
  outputs: ["arn", "tagsAll"],
  autoname: { property: "name", longest: 512 },
  lint: ({ name, retentionInDays }) => ({
    type: "AWS::Logs::LogGroup",
    properties: { LogGroupName: name, RetentionInDays: retentionInDays === 0 ? undefined : retentionInDays },
    names: { LogGroupName: "name" },
  }),
  async create(api, inputs, made) {
    const logs = await api.client("logs");
    const logGroupName = inputs.name!;
    const tags = Object.keys(inputs.tags ?? {}).length === 0 ? {} : { tags: inputs.tags };
    const logGroupClass = inputs.logGroupClass as "STANDARD" | undefined;
    await logs.createLogGroup({ logGroupName, kmsKeyId: inputs.kmsKeyId, logGroupClass, ...tags });
    made(logGroupName);
    if (inputs.retentionInDays > 0) {
      await logs.putRetentionPolicy({ logGroupName, retentionInDays: inputs.retentionInDays });
    }
    return logGroupName;
  },
  async read(api, id) {
    const logs = await api.client("logs");
    const { logGroups } = await logs.describeLogGroups({ logGroupNamePrefix: id });
    const found = logGroups?.find(({ logGroupName }) => logGroupName === id);
    if (found === undefined) return undefined;
    const arn = (found.logGroupArn ?? found.arn ?? "").replace(/:\*$/, "");
    const { tags } = await logs.listTagsForResource({ resourceArn: arn });
    return {
      arn,
      kmsKeyId: found.kmsKeyId ?? "",
      logGroupClass: found.logGroupClass ?? "STANDARD",
      name: id,
      retentionInDays: found.retentionInDays ?? 0,
      ...observedTagMap(tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const logs = await api.client("logs");
    const logGroupName = id;
    if (changed.has("retentionInDays")) {
      const { retentionInDays } = news;
      await (retentionInDays > 0
        ? logs.putRetentionPolicy({ logGroupName, retentionInDays })
        : logs.deleteRetentionPolicy({ logGroupName }));
    }
    if (changed.has("kmsKeyId")) {
      await (news.kmsKeyId === undefined
        ? logs.disassociateKmsKey({ logGroupName })
        : logs.associateKmsKey({ logGroupName, kmsKeyId: news.kmsKeyId }));
    }
    const resourceArn = String(olds["arn"]);
    await changeTags(
      olds,
      news,
      (tags) => logs.tagResource({ resourceArn, tags }),
      (tagKeys) => logs.untagResource({ resourceArn, tagKeys }),
    );
  },
  async remove(api, id, state) {
    const logs = await api.client("logs");
    if (state["skipDestroy"] !== true) await removed(logs.deleteLogGroup({ logGroupName: id }));
  },
});
