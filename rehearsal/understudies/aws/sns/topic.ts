import { isSameJson } from "../diff";
import { withPolicy } from "../lint";
import { type Lintable, resource } from "../resource";
import { flag, json, map, text } from "../schema";
import { ifThere, removed } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

const lintPolicy = ({ policy }: { policy?: string | undefined }): Lintable | undefined =>
  withPolicy("AWS::SNS::TopicPolicy", "PolicyDocument", "policy", policy, {
    Topics: ["arn:aws:sns:us-east-1:123456789012:topic"],
  });

/** The names that SNS has for the attributes of a topic that can be set. */
const attributes = {
  deliveryPolicy: "DeliveryPolicy",
  displayName: "DisplayName",
  kmsMasterKeyId: "KmsMasterKeyId",
  policy: "Policy",
} as const;

/** aws.sns.Topic */
export const topic = resource({
  token: "aws:sns/topic:Topic",
  inputs: {
    deliveryPolicy: json(),
    displayName: text(),
    fifoTopic: flag({ replaces: true, default: false }),
    kmsMasterKeyId: text(),
    name: text({ replaces: true, computed: true }),
    policy: json({ computed: true }),
    tags: map(),
  },
  outputs: ["arn", "owner", "tagsAll"],
  autoname: { property: "name", longest: 256 },
  lint: lintPolicy,
  async create(api, inputs, made) {
    const sns = await api.client("sns");
    const { TopicArn } = await sns.createTopic({
      Name: inputs.name,
      Tags: tagList(inputs.tags),
      ...(inputs.fifoTopic ? { Attributes: { FifoTopic: "true" } } : {}),
    });
    made(TopicArn!);
    for (const [name, AttributeName] of Object.entries(attributes)) {
      const AttributeValue = inputs[name as keyof typeof attributes];
      if (AttributeValue !== undefined) await sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue });
    }
    return TopicArn!;
  },
  async read(api, id, state) {
    const sns = await api.client("sns");
    const found = (await ifThere(sns.getTopicAttributes({ TopicArn: id })))?.Attributes;
    if (found === undefined) return undefined;
    const { Tags } = await sns.listTagsForResource({ ResourceArn: id });
    return {
      arn: id,
      deliveryPolicy: found["DeliveryPolicy"],
      displayName: found["DisplayName"] ?? "",
      fifoTopic: found["FifoTopic"] === "true",
      kmsMasterKeyId: found["KmsMasterKeyId"],
      name: id.split(":").at(-1),
      owner: found["Owner"],
      policy: isSameJson(state["policy"], found["Policy"]) ? state["policy"] : found["Policy"],
      ...observedTags(Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const sns = await api.client("sns");
    for (const [name, AttributeName] of Object.entries(attributes)) {
      if (!changed.has(name)) continue;
      const AttributeValue = news[name as keyof typeof attributes] ?? "";
      await sns.setTopicAttributes({ TopicArn: id, AttributeName, AttributeValue });
    }
    await changeTags(
      olds,
      news,
      (tags) => sns.tagResource({ ResourceArn: id, Tags: tagList(tags) }),
      (TagKeys) => sns.untagResource({ ResourceArn: id, TagKeys }),
    );
  },
  async remove(api, id) {
    const sns = await api.client("sns");
    await removed(sns.deleteTopic({ TopicArn: id }));
  },
});

/** aws.sns.TopicPolicy. Without it a topic has the policy that AWS gives each one: its account may use it. */
export const topicPolicy = resource({
  token: "aws:sns/topicPolicy:TopicPolicy",
  inputs: { arn: text({ required: true, replaces: true }), policy: json({ required: true }) },
  outputs: ["owner"],
  lint: lintPolicy,
  async create(api, { arn, policy }) {
    const sns = await api.client("sns");
    await sns.setTopicAttributes({ TopicArn: arn, AttributeName: "Policy", AttributeValue: policy });
    return arn;
  },
  async read(api, id, state) {
    const sns = await api.client("sns");
    const found = (await ifThere(sns.getTopicAttributes({ TopicArn: id })))?.Attributes;
    if (found?.["Policy"] === undefined) return undefined;
    const policy = isSameJson(state["policy"], found["Policy"]) ? state["policy"] : found["Policy"];
    return { arn: id, owner: found["Owner"], policy };
  },
  async update(api, id, { news }) {
    const sns = await api.client("sns");
    await sns.setTopicAttributes({ TopicArn: id, AttributeName: "Policy", AttributeValue: news.policy });
  },
  async remove(api, id) {
    const sns = await api.client("sns");
    const AttributeValue = JSON.stringify(defaultPolicy(id));
    await removed(sns.setTopicAttributes({ TopicArn: id, AttributeName: "Policy", AttributeValue }));
  },
});

/** As the official provider leaves it (terraform-provider-aws, internal/service/sns/topic_policy.go). */
function defaultPolicy(topicArn: string): object {
  const owner = topicArn.split(":")[4] ?? "";
  const actions = [
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
    "Receive",
  ];
  return {
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: actions.map((action) => `SNS:${action}`),
        Resource: topicArn,
        Condition: { StringEquals: { "AWS:SourceOwner": owner } },
      },
    ],
  };
}
