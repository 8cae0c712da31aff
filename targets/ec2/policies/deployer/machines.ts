import { allow, type Statement } from "../document";
import { existing } from "./existing";
import { attributes, forStack, lookups, ofStack, regional, type GithubScope } from "./scope";
import { session } from "./session";

/** Kinds of things of EC2 that the program makes and tags. */
const tagged = ["elastic-ip", "instance", "key-pair", "security-group", "security-group-rule", "volume"];

/** Instances, their disks, addresses, keys and groups, and the way to them. */
export function machines(scope: GithubScope): Statement[] {
  const { partition, account, stack } = scope;
  const of = (...kinds: readonly string[]) => kinds.map((kind) => `arn:${partition}:ec2:*:${account}:${kind}/*`);
  const own = ofStack(stack);
  return [
    allow(
      "LookUp",
      [
        ...lookups,
        "ec2:DescribeAddressesAttribute",
        "ec2:DescribeIamInstanceProfileAssociations",
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
    ...existing(scope),
    ...session(scope),
  ];
}
