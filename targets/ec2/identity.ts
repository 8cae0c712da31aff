import { InstanceProfile, Role, RolePolicy, RolePolicyAttachment } from "@pulumi/aws/iam";
import { all, output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { partitionOf } from "./awsConfig";
import { awsName, rolePath } from "./names";
import { monitoringPolicy, trustService } from "./policies/host";

/** What a host may do, and the profile by which its instance takes that on. */
export interface HostRole {
  readonly profileName: Output<string>;
  readonly roleName: Output<string>;
  /** Resolves to the role's name as soon as the role may do what it is given here. */
  readonly granted: Output<string>;
}

export interface HostRoleArgs {
  /** The host's name. */
  readonly name: string;
  readonly region: string;
  readonly stack: string;
  /** Log groups of the host's apps. */
  readonly logGroupArns: readonly Input<string>[];
  /** The only namespace of metrics that the host may write to. */
  readonly namespace: string;
  /** Topic that the host sends its alerts to. Left out: none. */
  readonly topicArn?: Input<string> | undefined;
  /** Whether Session Manager may open shells on the host. */
  readonly session: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /**
   * An existing role that gets the rights in place of a new one, by name: that of an adopted instance. The role itself and
   * what else it may do stay as they are; `profileName` then repeats its name. @default a new role
   */
  readonly existing?: string;
}

/**
 * One role and instance profile of a host: its apps' logs, its own metrics and alerts, Session Manager if asked. Buckets are granted
 * one by one (archive.ts). All apps of a host share the role, as an instance has one: its packet filter lets only those
 * of them at it that use a bucket, and apps that mustn't see each other's archives belong on instances of their own.
 */
export function hostRole(parent: ComponentResource, args: HostRoleArgs): HostRole {
  const { name, region, stack, session, existing } = args;
  const tags = { ...args.tags };
  const role = existing === undefined ? newRole(parent, args) : undefined;
  const roleName = role?.name ?? output(existing ?? "");
  const monitoring = new RolePolicy(
    `${name}-monitoring`,
    {
      role: roleName,
      name: awsName(stack, ["monitoring", name], 128),
      policy: all([all([...args.logGroupArns]), output(args.topicArn)]).apply(([arns, topicArn]) =>
        JSON.stringify(monitoringPolicy(arns, args.namespace, topicArn)),
      ),
    },
    { parent },
  );
  const sessions = session
    ? new RolePolicyAttachment(
        `${name}-session`,
        {
          role: roleName,
          // The one managed policy in use: AWS says itself what its agent needs (Systems Manager user guide, instance profiles).
          policyArn: `arn:${partitionOf(region)}:iam::aws:policy/AmazonSSMManagedInstanceCore`,
        },
        { parent },
      )
    : undefined;
  const profile =
    role === undefined
      ? undefined
      : new InstanceProfile(
          `${name}-profile`,
          { name: awsName(stack, [name], 128), path: rolePath(stack), role: role.name, tags },
          { parent },
        );
  return {
    profileName: profile?.name ?? roleName,
    roleName,
    granted: all([roleName, monitoring.id, sessions?.id ?? output("")]).apply(([known]) => known),
  };
}

function newRole(parent: ComponentResource, { name, stack, tags }: HostRoleArgs): Role {
  return new Role(
    `${name}-role`,
    {
      name: awsName(stack, [name], 64),
      path: rolePath(stack),
      description: `Host ${name} of Homeport's stack ${stack}`,
      assumeRolePolicy: JSON.stringify(trustService("ec2.amazonaws.com")),
      tags: { ...tags },
    },
    { parent },
  );
}
