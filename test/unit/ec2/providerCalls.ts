import type { Recorded } from "../../support/mocks";
import type { Call, Thing } from "./iam";

/**
 * The calls of AWS that the official provider makes for each type of resource and each lookup that the program uses, as
 * terraform-provider-aws has them in `internal/service/<service>`: to make, read, change and delete it. On what a call is
 * decided, by which tags and keys, is the Service Authorization Reference's. Calls whose refusal the provider overlooks are left out.
 */

type Tags = Readonly<Record<string, string>>;

/** The account, and what a stack has in it. */
export class World {
  constructor(
    readonly account: string,
    private readonly recorded: readonly Recorded[],
  ) {}

  /** Tags of what the stack has made, by its id; none of what exists. */
  tagsOf(id: string): Tags {
    const made = this.recorded.find(({ name }) => id.endsWith(`-${name}`) && /^(i|vol|sg|eipalloc)-/.test(id));
    return tagsIn(made);
  }

  /** A bucket by what its parts call it: the mocks' id of one that is made. */
  bucket(id: string): string {
    const made = this.ofType("aws:s3/bucket:Bucket").find(({ name }) => `${name}-id` === id);
    return made === undefined ? id : text(made.inputs.bucket);
  }

  /** ARN of a role by its name: one of the stack's own has its path. */
  role(name: string): string {
    const made = this.ofType("aws:iam/role:Role").find(({ inputs }) => inputs.name === name);
    return `arn:aws:iam::${this.account}:role${text(made?.inputs.path) || "/"}${name}`;
  }

  /** ARN of a profile's role. */
  roleOfProfile(name: string): string {
    const made = this.ofType("aws:iam/instanceProfile:InstanceProfile").find(({ inputs }) => inputs.name === name);
    return this.role(text(made?.inputs.role));
  }

  keyTags(name: string): Tags {
    return tagsIn(this.ofType("aws:ec2/keyPair:KeyPair").find(({ inputs }) => inputs.keyName === name));
  }

  /** Role that a resource was given by the mocks' ARN of it. */
  roleByArn(arn: unknown): string {
    return this.role(text(arn).split(":").at(-1) ?? "");
  }

  private ofType(type: string): Recorded[] {
    return this.recorded.filter((one) => one.type === type);
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text) : []);
const tagsIn = (made: Recorded | undefined): Tags => (made?.inputs.tags ?? {}) as Tags;

/** Builds the calls of one resource. */
class Calls {
  constructor(
    readonly world: World,
    readonly made: Recorded,
  ) {}

  get inputs(): Readonly<Record<string, unknown>> {
    return this.made.inputs;
  }
  get region(): string {
    return text(this.inputs["region"]) || "us-east-1";
  }
  get tags(): Tags {
    return tagsIn(this.made);
  }
  text(key: string): string {
    return text(this.inputs[key]);
  }
  arn(service: string, rest: string, region = this.region): string {
    return `arn:aws:${service}:${region}:${this.world.account}:${rest}`;
  }
  ec2(kind: string, id: string, tags?: Tags): Thing {
    return { arn: this.arn("ec2", `${kind}/${id}`), ...(tags === undefined ? {} : { tags }) };
  }
  /** A thing of EC2 that the call makes, whose id isn't known yet. */
  new(kind: string, given: Tags, id = "*"): Thing {
    return { ...this.ec2(kind, id), given };
  }
  call(action: string, on: readonly Thing[] = [{ arn: "*" }], keys?: Call["keys"]): Call {
    return { action, on, region: this.region, ...(keys === undefined ? {} : { keys }) };
  }
  each(service: string, names: string, ...on: readonly Thing[]): Call[] {
    return names.split(" ").map((name) => this.call(`${service}:${name}`, on.length === 0 ? undefined : on));
  }
  /** A call that makes something with tags, which is a right of its own. */
  tagged(name: string, kind: string, given: Tags = this.tags): Call {
    return this.call("ec2:CreateTags", [this.new(kind, given)], { "ec2:CreateAction": name });
  }
  passRole(role: string, service: string): Call {
    return this.call("iam:PassRole", [{ arn: role }], { "iam:PassedToService": `${service}.amazonaws.com` });
  }
  linked(service: string): Call {
    const arn = `arn:aws:iam::${this.world.account}:role/aws-service-role/${service}.amazonaws.com/AWSServiceRole`;
    return this.call("iam:CreateServiceLinkedRole", [{ arn }], { "iam:AWSServiceName": `${service}.amazonaws.com` });
  }
  iam(kind: string): Thing {
    return { arn: `arn:aws:iam::${this.world.account}:${kind}${this.text("path") || "/"}${this.text("name")}` };
  }
}

const bucketCalls =
  (names: string) =>
  (of: Calls): Call[] =>
    of.each("s3", names, { arn: `arn:aws:s3:::${of.world.bucket(of.text("bucket"))}` });

const rule = (direction: "Ingress" | "Egress") => (of: Calls) => {
  const id = of.text("securityGroupId");
  const group = of.ec2("security-group", id, of.world.tagsOf(id));
  const make = `AuthorizeSecurityGroup${direction}`;
  return [
    of.call(`ec2:${make}`, [group, of.new("security-group-rule", of.tags)]),
    of.tagged(make, "security-group-rule"),
    of.call("ec2:DescribeSecurityGroupRules"),
    of.call("ec2:ModifySecurityGroupRules", [group, of.ec2("security-group-rule", "sgr-1", of.tags)]),
    of.call(`ec2:RevokeSecurityGroup${direction}`, [group]),
  ];
};

/** By the type's token. */
export const resourceCalls: Readonly<Record<string, (of: Calls) => Call[]>> = {
  "aws:ec2/instance:Instance": (of) => {
    const instance = of.ec2("instance", `i-${of.made.name}`, of.tags);
    const disk = (of.inputs["volumeTags"] ?? {}) as Tags;
    const groups = texts(of.inputs["vpcSecurityGroupIds"]);
    return [
      of.call("ec2:RunInstances", [
        { arn: `arn:aws:ec2:${of.region}::image/${of.text("ami")}` },
        of.new("instance", of.tags),
        of.new("volume", disk),
        of.ec2("network-interface", "*"),
        of.ec2("subnet", of.text("subnetId")),
        of.ec2("key-pair", of.text("keyName"), of.world.keyTags(of.text("keyName"))),
        ...groups.map((id) => of.ec2("security-group", id, of.world.tagsOf(id))),
      ]),
      of.tagged("RunInstances", "instance"),
      ...(Object.keys(disk).length === 0 ? [] : [of.tagged("RunInstances", "volume", disk)]),
      of.passRole(of.world.roleOfProfile(of.text("iamInstanceProfile")), "ec2"),
      ...of.each("ec2", "DescribeInstances DescribeInstanceTypes DescribeVolumes DescribeTags DescribeImages"),
      ...of.each("ec2", "DescribeInstanceCreditSpecifications DescribeIamInstanceProfileAssociations DescribeVpcs"),
      of.call("ec2:DescribeInstanceAttribute", [instance]),
      ...of.each("ec2", "ModifyInstanceAttribute ModifyInstanceMetadataOptions StopInstances StartInstances", instance),
      ...of.each("ec2", "CreateTags TerminateInstances", instance),
      // A larger root disk.
      of.call("ec2:ModifyVolume", [of.ec2("volume", "vol-1", disk)]),
      of.call("ec2:DescribeVolumesModifications"),
      // Not the provider's: the program reads the host's key from the console (drivers/ec2).
      of.call("ec2:GetConsoleOutput", [instance]),
      of.call("ec2:DescribeInstanceStatus"),
    ];
  },
  "aws:ec2/securityGroup:SecurityGroup": (of) => {
    const group = of.ec2("security-group", `sg-${of.made.name}`, of.tags);
    return [
      of.call("ec2:CreateSecurityGroup", [of.new("security-group", of.tags), of.ec2("vpc", of.text("vpcId"))]),
      of.tagged("CreateSecurityGroup", "security-group"),
      ...of.each("ec2", "DescribeSecurityGroups DescribeNetworkInterfaces"),
      ...of.each("ec2", "RevokeSecurityGroupEgress CreateTags DeleteSecurityGroup", group),
    ];
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": rule("Ingress"),
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": rule("Egress"),
  "aws:ec2/eip:Eip": (of) => [
    of.call("ec2:AllocateAddress", [of.new("elastic-ip", of.tags)]),
    of.tagged("AllocateAddress", "elastic-ip"),
    ...of.each("ec2", "DescribeAddresses DescribeAddressesAttribute"),
    of.call("ec2:ReleaseAddress", [of.ec2("elastic-ip", "eipalloc-1", of.tags)]),
  ],
  "aws:ec2/eipAssociation:EipAssociation": (of) => {
    const [address, instance] = [of.text("allocationId"), of.text("instanceId")];
    const both = [of.ec2("elastic-ip", address, of.world.tagsOf(address)), of.ec2("network-interface", "eni-1")];
    return [
      of.call("ec2:AssociateAddress", [...both, of.ec2("instance", instance, of.world.tagsOf(instance))]),
      of.call("ec2:DisassociateAddress", both),
      of.call("ec2:DescribeAddresses"),
    ];
  },
  "aws:ec2/keyPair:KeyPair": (of) => [
    of.call("ec2:ImportKeyPair", [of.new("key-pair", of.tags, of.text("keyName"))]),
    of.tagged("ImportKeyPair", "key-pair"),
    of.call("ec2:DescribeKeyPairs"),
    of.call("ec2:DeleteKeyPair", [of.ec2("key-pair", of.text("keyName"), of.tags)]),
  ],
  "aws:ebs/volume:Volume": (of) => [
    of.call("ec2:CreateVolume", [of.new("volume", of.tags)]),
    of.tagged("CreateVolume", "volume"),
    ...of.each("ec2", "DescribeVolumes DescribeVolumesModifications"),
    ...of.each("ec2", "ModifyVolume CreateTags DeleteVolume", of.ec2("volume", "vol-1", of.tags)),
  ],
  "aws:ec2/volumeAttachment:VolumeAttachment": (of) => {
    const [disk, machine] = [of.text("volumeId"), of.text("instanceId")];
    const instance = of.ec2("instance", machine, of.world.tagsOf(machine));
    return [
      ...of.each("ec2", "AttachVolume DetachVolume", of.ec2("volume", disk, of.world.tagsOf(disk)), instance),
      of.call("ec2:StopInstances", [instance]),
      ...of.each("ec2", "DescribeVolumes DescribeInstances"),
    ];
  },
  "aws:iam/role:Role": (of) => [
    ...of.each("iam", "CreateRole TagRole GetRole ListRolePolicies ListAttachedRolePolicies", of.iam("role")),
    ...of.each("iam", "UpdateAssumeRolePolicy UpdateRole ListInstanceProfilesForRole DeleteRole", of.iam("role")),
  ],
  "aws:iam/rolePolicy:RolePolicy": (of) =>
    of.each("iam", "PutRolePolicy GetRolePolicy DeleteRolePolicy", { arn: of.world.role(of.text("role")) }),
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (of) => {
    const role = { arn: of.world.role(of.text("role")) };
    const keys = { "iam:PolicyARN": of.text("policyArn") };
    return [
      ...["AttachRolePolicy", "DetachRolePolicy"].map((name) => of.call(`iam:${name}`, [role], keys)),
      of.call("iam:ListAttachedRolePolicies", [role]),
    ];
  },
  "aws:iam/instanceProfile:InstanceProfile": (of) => [
    ...of.each("iam", "CreateInstanceProfile TagInstanceProfile GetInstanceProfile", of.iam("instance-profile")),
    ...of.each("iam", "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile", of.iam("instance-profile")),
    of.call("iam:DeleteInstanceProfile", [of.iam("instance-profile")]),
    of.passRole(of.world.role(of.text("role")), "ec2"),
    of.call("iam:GetRole", [{ arn: of.world.role(of.text("role")) }]),
  ],
  "aws:iam/policy:Policy": (of) =>
    of.each("iam", "CreatePolicy CreatePolicyVersion DeletePolicyVersion DeletePolicy", of.iam("policy")),
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": (of) => {
    const arn = `arn:aws:iam::${of.world.account}:oidc-provider/${of.text("url").replace("https://", "")}`;
    return of.each("iam", "CreateOpenIDConnectProvider DeleteOpenIDConnectProvider", { arn });
  },
  "aws:cloudwatch/logGroup:LogGroup": (of) => {
    const group = { arn: of.arn("logs", `log-group:${of.text("name")}`) };
    return [
      ...of.each("logs", "CreateLogGroup TagResource PutRetentionPolicy ListTagsForResource DeleteLogGroup", group),
      of.call("logs:DescribeLogGroups", [{ arn: of.arn("logs", "log-group::log-stream:") }]),
    ];
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": (of) => [
    ...of.each("cloudwatch", "PutMetricAlarm TagResource DescribeAlarms ListTagsForResource DeleteAlarms", {
      arn: of.arn("cloudwatch", `alarm:${of.text("name")}`),
    }),
    ...(texts(of.inputs["alarmActions"]).some((action) => action.includes(":automate:")) ? [of.linked("events")] : []),
  ],
  "aws:sns/topic:Topic": (of) =>
    of.each("sns", "CreateTopic TagResource GetTopicAttributes SetTopicAttributes ListTagsForResource DeleteTopic", {
      arn: of.arn("sns", of.text("name")),
    }),
  "aws:sns/topicPolicy:TopicPolicy": (of) =>
    of.each("sns", "GetTopicAttributes SetTopicAttributes", { arn: of.text("arn") }),
  "aws:sns/topicSubscription:TopicSubscription": (of) => [
    ...of.each("sns", "Subscribe ListSubscriptionsByTopic", { arn: of.text("topic") }),
    ...of.each("sns", "GetSubscriptionAttributes Unsubscribe"),
  ],
  "aws:dlm/lifecyclePolicy:LifecyclePolicy": (of) => [
    of.call("dlm:CreateLifecyclePolicy", [{ arn: "*", given: of.tags }]),
    ...of.each("dlm", "GetLifecyclePolicy UpdateLifecyclePolicy TagResource DeleteLifecyclePolicy", {
      arn: of.arn("dlm", "policy/policy-1"),
      tags: of.tags,
    }),
    of.passRole(of.world.roleByArn(of.inputs["executionRoleArn"]), "dlm"),
  ],
  "aws:scheduler/schedule:Schedule": (of) => [
    ...of.each("scheduler", "CreateSchedule GetSchedule UpdateSchedule DeleteSchedule", {
      arn: of.arn("scheduler", `schedule/default/${of.text("name")}`),
    }),
    of.passRole(of.world.roleByArn((of.inputs["target"] as { roleArn?: string } | undefined)?.roleArn), "scheduler"),
  ],
  "aws:budgets/budget:Budget": (of) =>
    of.each("budgets", "ModifyBudget ViewBudget TagResource ListTagsForResource", {
      arn: of.arn("budgets", `budget/${of.text("name")}`, ""),
    }),
  "aws:s3/bucket:Bucket": bucketCalls(
    "CreateBucket TagResource ListTagsForResource ListBucket GetBucketAcl GetBucketCORS GetBucketLogging GetBucketPolicy " +
      "GetBucketLocation GetBucketObjectLockConfiguration GetBucketRequestPayment GetBucketTagging GetBucketVersioning " +
      "GetBucketWebsite GetAccelerateConfiguration GetEncryptionConfiguration GetLifecycleConfiguration " +
      "GetReplicationConfiguration PutBucketTagging DeleteBucket",
  ),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": bucketCalls(
    "GetLifecycleConfiguration PutLifecycleConfiguration",
  ),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": bucketCalls(
    "GetBucketOwnershipControls PutBucketOwnershipControls",
  ),
  "aws:s3/bucketPolicy:BucketPolicy": bucketCalls("GetBucketPolicy PutBucketPolicy"),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": bucketCalls(
    "GetBucketPublicAccessBlock PutBucketPublicAccessBlock",
  ),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": bucketCalls(
    "GetEncryptionConfiguration PutEncryptionConfiguration",
  ),
  "aws:s3/bucketVersioning:BucketVersioning": bucketCalls("GetBucketVersioning PutBucketVersioning"),
  "aws:rds/subnetGroup:SubnetGroup": (of) =>
    of.each(
      "rds",
      "CreateDBSubnetGroup AddTagsToResource DescribeDBSubnetGroups ListTagsForResource ModifyDBSubnetGroup DeleteDBSubnetGroup",
      { arn: of.arn("rds", `subgrp:${of.text("name")}`) },
    ),
  "aws:rds/instance:Instance": (of) => {
    const server = { arn: of.arn("rds", `db:${of.text("identifier")}`) };
    const defaults = ["og:default:postgres-17", "pg:default.postgres17"].map((rest) => ({ arn: of.arn("rds", rest) }));
    const snapshot = { arn: of.arn("rds", `snapshot:${of.text("finalSnapshotIdentifier")}`) };
    return [
      of.call("rds:CreateDBInstance", [
        server,
        ...defaults,
        { arn: of.arn("rds", `subgrp:${of.text("dbSubnetGroupName")}`) },
      ]),
      of.call("rds:ModifyDBInstance", [server, ...defaults]),
      ...of.each("rds", "AddTagsToResource DescribeDBInstances ListTagsForResource DeleteDBInstance", server),
      ...(of.text("finalSnapshotIdentifier") === ""
        ? []
        : [of.call("rds:CreateDBSnapshot", [server, snapshot]), of.call("rds:AddTagsToResource", [snapshot])]),
      of.linked("rds"),
    ];
  },
  "aws:elasticache/subnetGroup:SubnetGroup": (of) =>
    of.each(
      "elasticache",
      "CreateCacheSubnetGroup AddTagsToResource DescribeCacheSubnetGroups ListTagsForResource ModifyCacheSubnetGroup " +
        "DeleteCacheSubnetGroup",
      { arn: of.arn("elasticache", `subnetgroup:${of.text("name")}`) },
    ),
  "aws:elasticache/parameterGroup:ParameterGroup": (of) =>
    of.each(
      "elasticache",
      "CreateCacheParameterGroup AddTagsToResource DescribeCacheParameterGroups DescribeCacheParameters " +
        "ListTagsForResource ModifyCacheParameterGroup DeleteCacheParameterGroup",
      { arn: of.arn("elasticache", `parametergroup:${of.text("name")}`) },
    ),
  "aws:elasticache/replicationGroup:ReplicationGroup": (of) => {
    const thing = (kind: string, name: string) => ({ arn: of.arn("elasticache", `${kind}:${name}`) });
    const group = thing("replicationgroup", of.text("replicationGroupId"));
    return [
      of.call("elasticache:CreateReplicationGroup", [
        group,
        thing("parametergroup", of.text("parameterGroupName")),
        thing("subnetgroup", of.text("subnetGroupName")),
      ]),
      ...of.each("elasticache", "AddTagsToResource DescribeReplicationGroups ListTagsForResource", group),
      ...of.each("elasticache", "ModifyReplicationGroup", group),
      of.call("elasticache:DescribeCacheClusters", [thing("cluster", `${of.text("replicationGroupId")}-001`)]),
      of.call("elasticache:DeleteReplicationGroup", [
        group,
        ...(of.text("finalSnapshotIdentifier") === "" ? [] : [thing("snapshot", of.text("finalSnapshotIdentifier"))]),
      ]),
      of.linked("elasticache"),
    ];
  },
};

/** The calls of a resource as the program registered it. */
export function callsOf(world: World, made: Recorded): Call[] {
  const calls = resourceCalls[made.type];
  if (calls === undefined) throw new Error(`${made.type} isn't in the table of the provider's calls.`);
  return calls(new Calls(world, made));
}

/** By the lookup's name. `getInstance` asks for credits where the type has some. */
export const lookupCalls: Readonly<
  Record<string, (region: string, account: string, inputs: Readonly<Record<string, unknown>>) => Call[]>
> = {
  getInstance: (region, account, { instanceId }) => [
    ...describe(region, "Instances InstanceTypes Volumes Images Tags SecurityGroups InstanceCreditSpecifications"),
    {
      action: "ec2:DescribeInstanceAttribute",
      on: [{ arn: `arn:aws:ec2:${region}:${account}:instance/${text(instanceId)}` }],
      region,
    },
  ],
  getVpc: (region, account) => [
    ...describe(region, "Vpcs"),
    { action: "ec2:DescribeVpcAttribute", on: [{ arn: `arn:aws:ec2:${region}:${account}:vpc/vpc-1` }], region },
  ],
  getSubnet: (region) => describe(region, "Subnets"),
  getSubnets: (region) => describe(region, "Subnets"),
  getEips: (region) => describe(region, "Addresses"),
  getEbsVolumes: (region) => describe(region, "Volumes"),
  getVolume: (region) => describe(region, "Volumes"),
  getParameter: (region, _, { name }) => [
    { action: "ssm:GetParameter", on: [{ arn: `arn:aws:ssm:${region}::parameter${text(name)}` }], region },
  ],
};

const describe = (region: string, names: string): Call[] =>
  names.split(" ").map((name) => ({ action: `ec2:Describe${name}`, on: [{ arn: "*" }], region }));
