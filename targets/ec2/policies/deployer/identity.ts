import { deployersPath, rolePath } from "../../names";
import { allow, type Statement } from "../document";
import type { GithubScope } from "./scope";
import { tokenHost } from "./trust";

/** Services that make a role of their own when an account first uses them: for alarms that restart, RDS and ElastiCache. */
const linked = ["elasticache.amazonaws.com", "events.amazonaws.com", "rds.amazonaws.com"];

/**
 * Roles and profiles of the stack's own path. The deploying role lies elsewhere, so that it can't widen itself; it hands
 * roles only to the services that the program uses them with.
 */
export function identity({ partition, account, stack }: GithubScope): Statement[] {
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
    allow("LinkedRoles", ["iam:CreateServiceLinkedRole"], iam("role/aws-service-role/*"), {
      StringEquals: { "iam:AWSServiceName": linked },
    }),
    allow(
      "LookAtDeployers",
      [
        "iam:GetOpenIDConnectProvider",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
      ],
      [iam(`role${deployersPath}*`), iam(`policy${deployersPath}*`), iam(`oidc-provider/${tokenHost}`)],
    ),
  ];
}
