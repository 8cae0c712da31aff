import { OpenIdConnectProvider, Role, RolePolicy } from "@pulumi/aws/iam";
import { all, output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { awsName, deployersPath } from "./names";
import type { PolicyDocument } from "./policies/document";
import {
  previewPolicy,
  previewSubjects,
  tokenHost,
  trustGithub,
  upPolicies,
  upSubjects,
  type GithubScope,
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
  const make = (
    kind: "preview" | "up",
    about: string,
    subjects: readonly string[],
    policies: readonly [string, Output<PolicyDocument>][],
  ): Output<string> => {
    const role = new Role(
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
    const rights = policies.map(
      ([name, document]) =>
        new RolePolicy(
          `github-${kind}-${name}`,
          { role: role.name, name, policy: document.apply((known) => JSON.stringify(known)) },
          { parent },
        ).id,
    );
    return all([role.arn, all(rights)]).apply(([arn]) => arn);
  };
  return {
    previewRoleArn: make(
      "preview",
      `Previews of Homeport's stack ${stack} in ${repository}`,
      previewSubjects(repository, branch),
      [["preview", scope.apply(previewPolicy)]],
    ),
    upRoleArn: make(
      "up",
      `Deploys of Homeport's stack ${stack} from ${repository}, environment ${environment}`,
      upSubjects(repository, environment),
      (["machines", "surroundings"] as const).map((name) => [name, scope.apply((known) => upPolicies(known)[name])]),
    ),
  };
}

/** The account and partition stand in the provider's ARN, so that nobody has to be asked. */
function scopeOf(
  { stack, regions, buckets = [], stateBucket, secretsKey, managed }: GithubArgs,
  arn: string,
): GithubScope {
  const [, partition = "aws", , , account = ""] = arn.split(":");
  return {
    partition,
    account,
    stack,
    regions,
    buckets,
    ...(stateBucket === undefined ? {} : { stateBucket }),
    ...(secretsKey === undefined ? {} : { secretsKey }),
    managed: managed ?? false,
  };
}
