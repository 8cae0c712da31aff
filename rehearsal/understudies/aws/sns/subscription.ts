import { resource } from "../resource";
import { flag, json, number, text } from "../schema";
import { ifThere, removed } from "../steps";

const attributes = {
  deliveryPolicy: "DeliveryPolicy",
  filterPolicy: "FilterPolicy",
  filterPolicyScope: "FilterPolicyScope",
  redrivePolicy: "RedrivePolicy",
} as const;

/** aws.sns.TopicSubscription. One by e-mail stays pending until its owner confirms it. */
export const topicSubscription = resource({
  token: "aws:sns/topicSubscription:TopicSubscription",
  inputs: {
    confirmationTimeoutInMinutes: number({ default: 1 }),
    deliveryPolicy: json(),
    endpoint: text({ required: true, replaces: true }),
    endpointAutoConfirms: flag({ default: false }),
    filterPolicy: json(),
    filterPolicyScope: text({ computed: true, oneOf: ["MessageAttributes", "MessageBody"] }),
    protocol: text({
      required: true,
      replaces: true,
      oneOf: ["application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"],
    }),
    rawMessageDelivery: flag({ default: false }),
    redrivePolicy: json(),
    topic: text({ required: true, replaces: true }),
  },
  outputs: ["arn", "confirmationWasAuthenticated", "ownerId", "pendingConfirmation"],
  check: ({ protocol, endpoint }) =>
    protocol?.startsWith("email") === true && endpoint !== undefined && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(endpoint)
      ? [{ property: "endpoint", reason: `"${endpoint}" is no e-mail address` }]
      : [],
  async create(api, inputs) {
    const sns = await api.client("sns");
    const given = Object.entries(attributes).flatMap(([name, attribute]) => {
      const value = inputs[name as keyof typeof attributes];
      return value === undefined ? [] : [[attribute, value] as const];
    });
    const { SubscriptionArn } = await sns.subscribe({
      TopicArn: inputs.topic,
      Protocol: inputs.protocol,
      Endpoint: inputs.endpoint,
      ReturnSubscriptionArn: true,
      Attributes: {
        ...Object.fromEntries(given),
        ...(inputs.rawMessageDelivery ? { RawMessageDelivery: "true" } : {}),
      },
    });
    return SubscriptionArn ?? "";
  },
  async read(api, id) {
    const sns = await api.client("sns");
    const found = (await ifThere(sns.getSubscriptionAttributes({ SubscriptionArn: id })))?.Attributes;
    if (found === undefined) return undefined;
    return {
      arn: id,
      confirmationWasAuthenticated: found["ConfirmationWasAuthenticated"] === "true",
      deliveryPolicy: found["DeliveryPolicy"],
      endpoint: found["Endpoint"],
      filterPolicy: found["FilterPolicy"],
      filterPolicyScope: found["FilterPolicyScope"],
      ownerId: found["Owner"],
      pendingConfirmation: found["PendingConfirmation"] === "true",
      protocol: found["Protocol"],
      rawMessageDelivery: found["RawMessageDelivery"] === "true",
      redrivePolicy: found["RedrivePolicy"],
      topic: found["TopicArn"],
    };
  },
  async update(api, id, { news, changed }) {
    const sns = await api.client("sns");
    const set = (AttributeName: string, AttributeValue: string): Promise<unknown> =>
      sns.setSubscriptionAttributes({ SubscriptionArn: id, AttributeName, AttributeValue });
    for (const [name, attribute] of Object.entries(attributes)) {
      if (changed.has(name)) await set(attribute, news[name as keyof typeof attributes] ?? "{}");
    }
    if (changed.has("rawMessageDelivery")) await set("RawMessageDelivery", String(news.rawMessageDelivery));
  },
  async remove(api, id) {
    const sns = await api.client("sns");
    await removed(sns.unsubscribe({ SubscriptionArn: id }));
  },
});
