import { namePrefix, rolePath } from "../names";
import { allow, policy, type PolicyDocument, type Statement } from "./document";

/** Where GitHub's tokens come from (GitHub Docs, "Configuring OpenID Connect in Amazon Web Services"). */
export const tokenHost = "token.actions.githubusercontent.com";

/** Whose tokens a role accepts: `subjects` are whole `sub` claims, without wildcards. */
export function trustGithub(providerArn: string, subjects: readonly string[]): PolicyDocument {
  return policy({
    Sid: "Github",
    Effect: "Allow",
    Principal: { Federated: providerArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${tokenHost}:aud`]: "sts.amazonaws.com", [`${tokenHost}:sub`]: subjects } },
  });
}

/**
 * Runs that may preview: of pull requests, which GitHub gives a token to only where they come from the repository itself,
 * and of the branch. A job with an environment has neither claim (GitHub Docs, "OpenID Connect reference").
 */
export const previewSubjects = (repository: string, branch: string): string[] => [
  `repo:${repository}:pull_request`,
  `repo:${repository}:ref:refs/heads/${branch}`,
];

/** Jobs of the environment alone: they have passed its approval. */
export const upSubjects = (repository: string, environment: string): string[] => [
  `repo:${repository}:environment:${environment}`,
];

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
const lookups = [
  "ec2:DescribeImages",
  "ec2:DescribeInstances",
  "ec2:DescribeInstanceTypes",
  "ec2:DescribeSecurityGroups",
  "ec2:DescribeSubnets",
  "ec2:DescribeTags",
  "ec2:DescribeVolumes",
  "ec2:DescribeVpcs",
];

/** Reads AWS, and locks the state as Pulumi does for a preview, too. It changes nothing and sees no object of the apps. */
export function previewPolicy(scope: GithubScope): PolicyDocument {
  return policy(
    allow("LookUp", lookups, "*", regional(scope)),
    attributes(scope),
    publicParameters(scope),
    ...state(scope, "locks"),
  );
}

const attributes = (scope: GithubScope): Statement =>
  allow(
    "LookInto",
    ["ec2:DescribeInstanceAttribute", "ec2:DescribeVpcAttribute"],
    [`arn:${scope.partition}:ec2:*:${scope.account}:instance/*`, `arn:${scope.partition}:ec2:*:${scope.account}:vpc/*`],
    regional(scope),
  );

/** The newest images' ids, which AWS, Debian and Canonical publish. */
const publicParameters = ({ partition }: GithubScope): Statement =>
  allow("PublicParameters", ["ssm:GetParameter"], `arn:${partition}:ssm:*::parameter/aws/service/*`);

const regional = ({ regions }: GithubScope): Statement["Condition"] => ({
  StringEquals: { "aws:RequestedRegion": regions },
});

/**
 * The state, where `pulumi login s3://…` keeps it below `.pulumi/` (Pulumi docs, "Managing state and backends"). A preview
 * reads it and takes a lock; an update writes it. The key only ever decrypts the stack's own, which encrypts the secrets.
 */
function state({ partition, stateBucket, secretsKey }: GithubScope, may: "locks" | "all"): Statement[] {
  const bucket = `arn:${partition}:s3:::${stateBucket ?? ""}`;
  const key = secretsKey === undefined ? [] : [allow("SecretsKey", ["kms:Decrypt"], secretsKey)];
  if (stateBucket === undefined) return key;
  return [
    ...key,
    allow("ListState", ["s3:ListBucket"], bucket),
    allow("ReadState", ["s3:GetObject"], `${bucket}/.pulumi/*`),
    allow(
      "WriteState",
      ["s3:DeleteObject", "s3:PutObject"],
      may === "all" ? `${bucket}/.pulumi/*` : `${bucket}/.pulumi/locks/*`,
    ),
  ];
}

/**
 * What `pulumi up` makes, changes and deletes: by the stack's tag where a thing has tags, by its names' prefix elsewhere.
 *
 * A role's policies may have 10,240 characters in all (IAM user guide, "IAM and AWS STS quotas"). So statements have no
 * names, and nothing is taken back that a later deploy seldom needs, such as tags.
 */
export function upPolicies(scope: GithubScope): Record<"machines" | "surroundings", PolicyDocument> {
  return {
    machines: nameless(...machines(scope)),
    surroundings: nameless(
      ...identity(scope),
      ...archives(scope),
      ...watching(scope),
      ...(scope.managed ? databases(scope) : []),
      publicParameters(scope),
      ...state(scope, "all"),
    ),
  };
}

const nameless = (...statements: readonly Statement[]): PolicyDocument =>
  policy(
    ...statements.map((statement) => {
      const { Sid, ...rest } = statement;
      return Sid === undefined ? statement : rest;
    }),
  );

const ofStack = (stack: string): Statement["Condition"] => ({
  StringEquals: { "aws:ResourceTag/homeport:stack": stack },
});
const forStack = (stack: string): Statement["Condition"] => ({
  StringEquals: { "aws:RequestTag/homeport:stack": stack },
});

/** Kinds of things of EC2 that the program makes and tags. */
const tagged = ["elastic-ip", "instance", "key-pair", "security-group", "security-group-rule", "volume"];

function machines(scope: GithubScope): Statement[] {
  const { partition, account, stack } = scope;
  const of = (...kinds: readonly string[]) => kinds.map((kind) => `arn:${partition}:ec2:*:${account}:${kind}/*`);
  const own = ofStack(stack);
  return [
    allow(
      "LookUp",
      [
        ...lookups,
        "ec2:DescribeAddresses",
        "ec2:DescribeAddressesAttribute",
        "ec2:DescribeIamInstanceProfileAssociations",
        "ec2:DescribeInstanceCreditSpecifications",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeKeyPairs",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeVolumesModifications",
        "sts:GetCallerIdentity",
      ],
      "*",
      regional(scope),
    ),
    attributes(scope),
    // EC2 asks for rights on each thing that a call touches; the condition is on those that it makes.
    allow(
      "Make",
      ["ec2:AllocateAddress", "ec2:CreateSecurityGroup", "ec2:CreateVolume", "ec2:ImportKeyPair", "ec2:RunInstances"],
      of("elastic-ip", "instance", "key-pair", "security-group", "volume"),
      forStack(stack),
    ),
    allow("RunWithOwn", ["ec2:RunInstances"], of("key-pair", "security-group"), own),
    // What a call touches besides, and doesn't change.
    allow(
      "With",
      ["ec2:AssociateAddress", "ec2:CreateSecurityGroup", "ec2:DisassociateAddress", "ec2:RunInstances"],
      [...of("network-interface", "subnet", "vpc"), `arn:${partition}:ec2:*::image/*`],
      regional(scope),
    ),
    allow("TagNew", ["ec2:CreateTags"], of(...tagged, "network-interface"), {
      StringEquals: {
        "aws:RequestTag/homeport:stack": stack,
        "ec2:CreateAction": [
          "AllocateAddress",
          "AuthorizeSecurityGroupEgress",
          "AuthorizeSecurityGroupIngress",
          "CreateSecurityGroup",
          "CreateVolume",
          "ImportKeyPair",
          "RunInstances",
        ],
      },
    }),
    allow(
      "Change",
      [
        "ec2:AssociateAddress",
        "ec2:AssociateIamInstanceProfile",
        "ec2:AttachVolume",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateTags",
        "ec2:DeleteKeyPair",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteTags",
        "ec2:DeleteVolume",
        "ec2:DetachVolume",
        "ec2:DisassociateAddress",
        "ec2:DisassociateIamInstanceProfile",
        "ec2:GetConsoleOutput",
        "ec2:ModifyInstanceAttribute",
        "ec2:ModifyInstanceMetadataOptions",
        "ec2:ModifySecurityGroupRules",
        "ec2:ModifyVolume",
        "ec2:ReleaseAddress",
        "ec2:ReplaceIamInstanceProfileAssociation",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "ec2:TerminateInstances",
      ],
      of(...tagged),
      own,
    ),
    allow(
      "NewRules",
      ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"],
      of("security-group-rule"),
      forStack(stack),
    ),
  ];
}

/**
 * Roles and profiles of the stack's own path. The deploying role lies elsewhere, so that it can't widen itself; it hands
 * roles only to the services that the program uses them with.
 */
function identity({ partition, account, stack }: GithubScope): Statement[] {
  const iam = (kind: string) => `arn:${partition}:iam::${account}:${kind}`;
  const roles = iam(`role${rolePath(stack)}*`);
  const profiles = iam(`instance-profile${rolePath(stack)}*`);
  return [
    allow(
      "Roles",
      [
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:PutRolePolicy",
        "iam:TagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
      ],
      roles,
    ),
    allow("Session", ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], roles, {
      ArnEquals: { "iam:PolicyARN": `arn:${partition}:iam::aws:policy/AmazonSSMManagedInstanceCore` },
    }),
    allow("PassRole", ["iam:PassRole"], roles, {
      StringEquals: {
        "iam:PassedToService": ["dlm.amazonaws.com", "ec2.amazonaws.com", "scheduler.amazonaws.com"],
      },
    }),
    allow(
      "Profiles",
      [
        "iam:AddRoleToInstanceProfile",
        "iam:CreateInstanceProfile",
        "iam:DeleteInstanceProfile",
        "iam:GetInstanceProfile",
        "iam:RemoveRoleFromInstanceProfile",
        "iam:TagInstanceProfile",
      ],
      profiles,
    ),
    allow(
      "LookAtDeployers",
      [
        "iam:GetOpenIDConnectProvider",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
      ],
      [iam("role/homeport-deployers/*"), iam(`oidc-provider/${tokenHost}`)],
    ),
  ];
}

/** Settings of the archives, not their objects. */
function archives({ partition, buckets }: GithubScope): Statement[] {
  if (buckets.length === 0) return [];
  return [
    allow(
      "Archives",
      [
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:GetAccelerateConfiguration",
        "s3:GetBucketAcl",
        "s3:GetBucketCORS",
        "s3:GetBucketLocation",
        "s3:GetBucketLogging",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketRequestPayment",
        "s3:GetBucketTagging",
        "s3:GetBucketVersioning",
        "s3:GetBucketWebsite",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketTagging",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
      ],
      buckets.map((bucket) => `arn:${partition}:s3:::${bucket}`),
    ),
  ];
}

function watching(scope: GithubScope): Statement[] {
  const { partition, account, stack } = scope;
  const prefix = namePrefix(stack);
  const arn = (service: string, rest: string, region = "*") =>
    `arn:${partition}:${service}:${region}:${account}:${rest}`;
  return [
    allow("Groups", ["logs:DescribeLogGroups"], arn("logs", "log-group:*"), regional(scope)),
    allow(
      "Logs",
      [
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
      ],
      arn("logs", `log-group:/homeport/${stack}/*`),
    ),
    allow(
      "Alarms",
      [
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:ListTagsForResource",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
      ],
      arn("cloudwatch", `alarm:${prefix}*`),
    ),
    allow(
      "Topics",
      [
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:ListTagsForResource",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
        "sns:TagResource",
      ],
      arn("sns", `${prefix}*`),
    ),
    // Of these three AWS can't say on what (Service Authorization Reference, Amazon SNS and Data Lifecycle Manager).
    allow("Subscriptions", ["sns:GetSubscriptionAttributes", "sns:Unsubscribe"], "*", regional(scope)),
    allow("NewSnapshots", ["dlm:CreateLifecyclePolicy"], "*", forStack(stack)),
    allow(
      "Snapshots",
      ["dlm:DeleteLifecyclePolicy", "dlm:GetLifecyclePolicy", "dlm:TagResource", "dlm:UpdateLifecyclePolicy"],
      arn("dlm", "policy/*"),
      ofStack(stack),
    ),
    allow(
      "Schedules",
      ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"],
      arn("scheduler", `schedule/default/${prefix}*`),
    ),
    allow(
      "Budgets",
      ["budgets:ListTagsForResource", "budgets:ModifyBudget", "budgets:TagResource", "budgets:ViewBudget"],
      arn("budgets", `budget/${prefix}*`, ""),
    ),
  ];
}

function databases({ partition, account, stack }: GithubScope): Statement[] {
  const prefix = namePrefix(stack);
  const arn = (service: string, rest: string) => `arn:${partition}:${service}:*:${account}:${rest}`;
  return [
    allow(
      "Databases",
      [
        "rds:AddTagsToResource",
        "rds:CreateDBInstance",
        "rds:CreateDBSnapshot",
        "rds:CreateDBSubnetGroup",
        "rds:DeleteDBInstance",
        "rds:DeleteDBSubnetGroup",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSubnetGroups",
        "rds:ListTagsForResource",
        "rds:ModifyDBInstance",
        "rds:ModifyDBSubnetGroup",
      ],
      ["db", "snapshot", "subgrp"].map((kind) => arn("rds", `${kind}:${prefix}*`)),
    ),
    allow(
      "DatabaseDefaults",
      ["rds:CreateDBInstance", "rds:ModifyDBInstance"],
      [arn("rds", "og:default:*"), arn("rds", "pg:default.*")],
    ),
    allow(
      "Caches",
      [
        "elasticache:AddTagsToResource",
        "elasticache:CreateCacheParameterGroup",
        "elasticache:CreateCacheSubnetGroup",
        "elasticache:CreateReplicationGroup",
        "elasticache:DeleteCacheParameterGroup",
        "elasticache:DeleteCacheSubnetGroup",
        "elasticache:DeleteReplicationGroup",
        "elasticache:DescribeCacheClusters",
        "elasticache:DescribeCacheParameterGroups",
        "elasticache:DescribeCacheParameters",
        "elasticache:DescribeCacheSubnetGroups",
        "elasticache:DescribeReplicationGroups",
        "elasticache:ListTagsForResource",
        "elasticache:ModifyCacheParameterGroup",
        "elasticache:ModifyCacheSubnetGroup",
        "elasticache:ModifyReplicationGroup",
      ],
      ["cluster", "parametergroup", "replicationgroup", "snapshot", "subnetgroup"].map((kind) =>
        arn("elasticache", `${kind}:${prefix}*`),
      ),
    ),
  ];
}
