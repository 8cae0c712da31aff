import { LifecyclePolicy } from "@pulumi/aws/dlm/lifecyclePolicy";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { all, type ComponentResource, type Output } from "@pulumi/pulumi";
import { partitionOf } from "./awsConfig";
import { tagsOf } from "./hosts";
import { awsName, rolePath } from "./names";
import { allow, policy, type PolicyDocument } from "./policies/document";
import { trustService } from "./policies/host";

const tagName = "homeport:snapshots";

/** The tag of volumes that are saved; a person sets it on volumes of an adopted instance. */
export const snapshotTag = (stack: string): Record<string, string> => ({ [tagName]: stack });

/** Snapshots of every volume in these regions that bears the stack's tag: one a day, so many kept. */
export function dailySnapshots(
  parent: ComponentResource,
  { stack, regions, keep }: { readonly stack: string; readonly regions: readonly string[]; readonly keep: number },
): void {
  const executionRoleArn = snapshotRole(parent, stack, regions);
  for (const region of regions) {
    new LifecyclePolicy(
      `ec2-snapshots-${region}`,
      {
        region,
        // Letters, digits, spaces, underscores and hyphens alone (DLM API, CreateLifecyclePolicy).
        description: `Daily snapshots of the data of ${stack}`,
        executionRoleArn,
        state: "ENABLED",
        policyDetails: {
          resourceTypes: ["VOLUME"],
          targetTags: snapshotTag(stack),
          schedules: [
            {
              name: "daily",
              createRule: { interval: 24, intervalUnit: "HOURS", times: "03:00" },
              retainRule: { count: keep },
              tagsToAdd: { "homeport:stack": stack },
              copyTags: true,
            },
          ],
        },
        tags: tagsOf(stack),
      },
      { parent },
    );
  }
}

/** What Data Lifecycle Manager may do: save the volumes with the tag, and delete what it has saved. */
function snapshotRole(parent: ComponentResource, stack: string, regions: readonly string[]): Output<string> {
  const name = awsName(stack, ["snapshots"], 64);
  const role = new Role(
    "ec2-snapshots-role",
    {
      name,
      path: rolePath(stack),
      description: `Snapshots of the data of Homeport's stack ${stack}`,
      assumeRolePolicy: JSON.stringify(trustService("dlm.amazonaws.com")),
      tags: tagsOf(stack),
    },
    { parent },
  );
  const rights = new RolePolicy(
    "ec2-snapshots-policy",
    { name, role: role.name, policy: JSON.stringify(snapshotPolicy(stack, regions)) },
    { parent },
  );
  return all([role.arn, rights.id]).apply(([arn]) => arn);
}

/**
 * AWS's own policy for this, AWSDataLifecycleManagerServiceRole, with the volumes and snapshots of one stack in place of
 * all. What a new snapshot is of is narrowed at its volume. The calls that describe know no resources (Service
 * Authorization Reference, "Amazon EC2").
 */
export function snapshotPolicy(stack: string, regions: readonly string[]): PolicyDocument {
  const partition = partitionOf(regions[0] ?? "");
  const snapshots = `arn:${partition}:ec2:*::snapshot/*`;
  const marked = (tag: string) => ({ StringEquals: { [`aws:ResourceTag/${tag}`]: stack } });
  const here = { StringEquals: { "aws:RequestedRegion": regions } };
  return policy(
    allow("SaveMarked", ["ec2:CreateSnapshot"], `arn:${partition}:ec2:*:*:volume/*`, marked(tagName)),
    allow("MakeSnapshots", ["ec2:CreateSnapshot", "ec2:CreateTags"], snapshots, here),
    allow("DeleteOwn", ["ec2:DeleteSnapshot"], snapshots, marked("homeport:stack")),
    allow("Look", ["ec2:DescribeSnapshots", "ec2:DescribeVolumes"], "*"),
  );
}
