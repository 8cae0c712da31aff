import { OpenIdConnectProvider, Policy, Role, RolePolicy, RolePolicyAttachment } from "@pulumi/aws/iam";
import { all, output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { awsName, deployersPath } from "./names";
import {
  previewPolicy,
  previewSubjects,
  tokenHost,
  trustGithub,
  upPolicies,
  upSubjects,
  type Existing,
  type GithubScope,
  type UpPolicies,
} from "./policies/github";

export interface GithubArgs {
  /** `owner/name`. */
  readonly repository: string;
  /** GitHub environment whose approval a deploy needs. @default production */
  readonly environment?: string;
  /** Branch whose own runs may preview. @default main */
  readonly branch?: string;
  readonly stack: string;
  /** Regions that the stack uses. */
  readonly regions: readonly string[];
  /** Whether apps of the stack are on EC2. @default true */
  readonly hosts?: boolean;
  /** Whether deploys reach the hosts through Session Manager. @default false */
  readonly session?: boolean;
  /** What exists and the stack uses, `existingOf` in githubScope.ts. @default nothing */
  readonly existing?: Existing;
  /** Names or patterns of the stack's buckets, `bucketPattern` in archive.ts. @default none */
  readonly buckets?: readonly string[];
  readonly stateBucket?: string;
  /** ARN of the KMS key that encrypts the state's secrets. */
  readonly secretsKey?: string;
  /** ARN of the account's provider for GitHub's tokens. @default one is made */
  readonly provider?: string;
  /** Whether the stack has servers on RDS or ElastiCache. @default false */
  readonly managed?: boolean;
}

export interface GithubRoles {
  readonly previewRoleArn: Output<string>;
  readonly upRoleArn: Output<string>;
  /** Of the account's provider for GitHub's tokens, for other stacks' `ec2:github.provider`. */
  readonly providerArn: Output<string>;
}

/** GitHub's identity provider, and the roles of its workflows: one that reads, and one that deploys after an approval. */
export function githubRoles(parent: ComponentResource, args: GithubArgs): GithubRoles {
  const { repository, environment = "production", branch = "main", stack } = args;
  const provider: Input<string> =
    args.provider ??
    new OpenIdConnectProvider(
      "github",
      {
        url: `https://${tokenHost}`,
        clientIdLists: ["sts.amazonaws.com"],
        tags: { "homeport:stack": stack },
      },
      { parent },
    ).arn;
  const scope = output(provider).apply((arn) => scopeOf(args, arn));
  const roleOf = (kind: "preview" | "up", about: string, subjects: readonly string[]): Role =>
    new Role(
      `github-${kind}`,
      {
        name: awsName(stack, ["github", kind], 64),
        path: deployersPath,
        description: about,
        assumeRolePolicy: output(provider).apply((arn) => JSON.stringify(trustGithub(arn, subjects))),
        // An hour, the least that AWS takes; a deploy that needs longer is stuck.
        maxSessionDuration: 3600,
        tags: { "homeport:stack": stack },
      },
      { parent },
    );
  const preview = roleOf(
    "preview",
    `Previews of Homeport's stack ${stack} in ${repository}`,
    previewSubjects(repository, branch),
  );
  const up = roleOf(
    "up",
    `Deploys of Homeport's stack ${stack} from ${repository}, environment ${environment}`,
    upSubjects(repository, environment),
  );
  return {
    providerArn: output(provider),
    previewRoleArn: granted(preview, mayPreview(parent, preview, scope)),
    upRoleArn: granted(
      up,
      mayDeploy(parent, up, stack, scope, Object.keys(upPolicies(scopeOf(args, ""))) as (keyof UpPolicies)[]),
    ),
  };
}

/** A role's ARN, known as soon as the role may do what it is for. */
const granted = (role: Role, rights: readonly Input<string>[]): Output<string> =>
  all([role.arn, all([...rights])]).apply(([arn]) => arn);

const mayPreview = (parent: ComponentResource, role: Role, scope: Output<GithubScope>): Output<string>[] => [
  new RolePolicy(
    "github-preview-preview",
    { role: role.name, name: "preview", policy: scope.apply((known) => JSON.stringify(previewPolicy(known))) },
    { parent },
  ).id,
];

/** By policies of their own, as those within a role may have fewer characters in all than a deploy's rights need. */
const mayDeploy = (
  parent: ComponentResource,
  role: Role,
  stack: string,
  scope: Output<GithubScope>,
  names: readonly (keyof UpPolicies)[],
): Output<string>[] =>
  names.map((name) => {
    const { arn } = new Policy(
      `github-up-${name}`,
      {
        name: awsName(stack, ["github", "up", name], 128),
        path: deployersPath,
        description: `Rights of deploys of Homeport's stack ${stack}`,
        policy: scope.apply((known) => JSON.stringify(upPolicies(known)[name])),
        tags: { "homeport:stack": stack },
      },
      { parent },
    );
    return new RolePolicyAttachment(`github-up-${name}-given`, { role: role.name, policyArn: arn }, { parent }).id;
  });

/** The account and partition stand in the provider's ARN, so that nobody has to be asked. */
function scopeOf(
  { stack, regions, buckets = [], hosts, session, existing, stateBucket, secretsKey, managed }: GithubArgs,
  arn: string,
): GithubScope {
  const [, partition = "aws", , , account = ""] = arn.split(":");
  return {
    partition,
    account,
    stack,
    regions,
    buckets,
    hosts: hosts ?? true,
    session: session ?? false,
    existing: existing ?? { instances: [], openedGroups: [], groups: [], keyPairs: [], volumes: [], roles: [] },
    ...(stateBucket === undefined ? {} : { stateBucket }),
    ...(secretsKey === undefined ? {} : { secretsKey }),
    managed: managed ?? false,
  };
}
