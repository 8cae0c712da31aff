import { allow, type Statement } from "../document";
import type { GithubScope, Named } from "./scope";

/**
 * What a deploy does with things that the stack names and didn't make, each by its own ARN. None of them can be changed in
 * itself, or deleted.
 */
export function existing({ partition, account, existing: named }: GithubScope): Statement[] {
  const { openedGroups, groups, keyPairs, volumes, roles } = named;
  const of = (kind: string, things: readonly Named[]) =>
    things.map(({ region, name }) => `arn:${partition}:ec2:${region}:${account}:${kind}/${name}`);
  return [
    ...on("RunWithNamed", ["ec2:RunInstances"], [...of("security-group", groups), ...of("key-pair", keyPairs)]),
    ...on(
      "Open",
      ["ec2:AuthorizeSecurityGroupIngress", "ec2:ModifySecurityGroupRules", "ec2:RevokeSecurityGroupIngress"],
      of("security-group", openedGroups),
    ),
    ...on("Attach", ["ec2:AttachVolume", "ec2:DetachVolume"], of("volume", volumes)),
    ...on(
      "Grant",
      ["iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy"],
      // A role's path isn't told by its name, and an account has a name once (IAM user guide, "IAM identifiers").
      roles.flatMap((role) =>
        [`role/${role}`, `role/*/${role}`].map((end) => `arn:${partition}:iam::${account}:${end}`),
      ),
    ),
  ];
}

const on = (name: string, actions: readonly string[], arns: readonly string[]): Statement[] =>
  arns.length === 0 ? [] : [allow(name, actions, [...new Set(arns)])];
