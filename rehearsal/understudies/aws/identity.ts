import { lookup } from "./resource";

/** aws.getCallerIdentity */
export const getCallerIdentity = lookup({
  token: "aws:index/getCallerIdentity:getCallerIdentity",
  regional: false,
  inputs: {},
  async run(api) {
    const sts = await api.client("sts");
    const { Account, Arn, UserId } = await sts.getCallerIdentity({});
    return { id: Account, accountId: Account, arn: Arn, userId: UserId };
  },
});

/** aws.getPartition */
export const getPartition = lookup({
  token: "aws:index/getPartition:getPartition",
  regional: false,
  inputs: {},
  run: (api) => {
    const dnsSuffix = api.partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
    const reverseDnsPrefix = dnsSuffix.split(".").reverse().join(".");
    return Promise.resolve({ id: api.partition, partition: api.partition, dnsSuffix, reverseDnsPrefix });
  },
});

/** aws.getRegion */
export const getRegion = lookup({
  token: "aws:index/getRegion:getRegion",
  inputs: {},
  run: (api) => Promise.resolve({ id: api.region, name: api.region, endpoint: `ec2.${api.region}.amazonaws.com` }),
});
