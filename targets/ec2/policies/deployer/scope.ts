import { allow, type Statement } from "../document";

/** What both roles' rights are made of. */
export interface GithubScope {
  readonly partition: string;
  readonly account: string;
  readonly stack: string;
  readonly regions: readonly string[];
  /** Whether apps of the stack are on EC2. Without any, a deploy touches nothing on AWS but the state. */
  readonly hosts: boolean;
  /** Whether deploys reach the hosts through Session Manager. */
  readonly session: boolean;
  /** What exists and the stack uses. */
  readonly existing: Existing;
  /** Names of the stack's buckets, or patterns of those that are yet to be made. */
  readonly buckets: readonly string[];
  /** Bucket of the stack's state. Left out: the state isn't on S3. */
  readonly stateBucket?: string;
  /** ARN of the KMS key that encrypts the state's secrets. Left out: none does. */
  readonly secretsKey?: string;
  /** Whether the stack has servers on RDS or ElastiCache. */
  readonly managed: boolean;
}

/** A thing of EC2 by the last part of its ARN: an id, or a key pair's name. */
export interface Named {
  readonly region: string;
  readonly name: string;
}

/** Things that the stack names and didn't make. They don't have its tag, so the rights on them are by their own ARNs. */
export interface Existing {
  /** Adopted instances. */
  readonly instances: readonly Named[];
  /** Groups of adopted instances that get rules for the apps' ports. */
  readonly openedGroups: readonly Named[];
  /** Groups of new instances besides their own. */
  readonly groups: readonly Named[];
  /** Key pairs of new instances. */
  readonly keyPairs: readonly Named[];
  /** Disks of new instances. */
  readonly volumes: readonly Named[];
  /** Roles of adopted instances, by name. */
  readonly roles: readonly string[];
}

/** What a preview looks up: it compares with the stack's state, and asks AWS for what the stack names but didn't make. */
export const lookups = [
  "ec2:DescribeAddresses",
  "ec2:DescribeImages",
  // The provider asks for it wherever an instance's type has credits, and fails without an answer.
  "ec2:DescribeInstanceCreditSpecifications",
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
