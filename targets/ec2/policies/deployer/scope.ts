import { allow, type Statement } from "../document";

/** What both roles' rights are made of. */
export interface GithubScope {
  readonly partition: string;
  readonly account: string;
  readonly stack: string;
  readonly regions: readonly string[];
  /** Names of the stack's buckets, or patterns of those that are yet to be made. */
  readonly buckets: readonly string[];
  /** Bucket of the stack's state. Left out: the state isn't on S3. */
  readonly stateBucket?: string;
  /** ARN of the KMS key that encrypts the state's secrets. Left out: none does. */
  readonly secretsKey?: string;
  /** Whether the stack has servers on RDS or ElastiCache. */
  readonly managed: boolean;
}

/** What a preview looks up: it compares with the stack's state, and asks AWS for what the stack names but didn't make. */
export const lookups = [
  "ec2:DescribeImages",
  "ec2:DescribeInstances",
  "ec2:DescribeInstanceTypes",
  "ec2:DescribeSecurityGroups",
  "ec2:DescribeSubnets",
  "ec2:DescribeTags",
  "ec2:DescribeVolumes",
  "ec2:DescribeVpcs",
];

export const attributes = (scope: GithubScope): Statement =>
  allow(
    "LookInto",
    ["ec2:DescribeInstanceAttribute", "ec2:DescribeVpcAttribute"],
    [`arn:${scope.partition}:ec2:*:${scope.account}:instance/*`, `arn:${scope.partition}:ec2:*:${scope.account}:vpc/*`],
    regional(scope),
  );

/** The newest images' ids, which AWS, Debian and Canonical publish. */
export const publicParameters = ({ partition }: GithubScope): Statement =>
  allow("PublicParameters", ["ssm:GetParameter"], `arn:${partition}:ssm:*::parameter/aws/service/*`);

export const regional = ({ regions }: GithubScope): Statement["Condition"] => ({
  StringEquals: { "aws:RequestedRegion": regions },
});

export const ofStack = (stack: string): Statement["Condition"] => ({
  StringEquals: { "aws:ResourceTag/homeport:stack": stack },
});
export const forStack = (stack: string): Statement["Condition"] => ({
  StringEquals: { "aws:RequestTag/homeport:stack": stack },
});
