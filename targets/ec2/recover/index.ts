import { explainEc2 } from "../../../drivers/ec2/client";
import type { Candidate, PendingCreation, Search } from "../../recovery";
import type { AwsConnection } from "../awsConfig";
import * as data from "./data";
import * as identity from "./identity";
import * as machines from "./machines";
import { wantedOf, type Wanted } from "./wanted";
import * as watching from "./watching";

/** How each type that the target declares is found: by its fixed name where it has one, else by its tags. */
export const finders: Readonly<Record<string, (wanted: Wanted) => Promise<Candidate[]>>> = {
  "aws:budgets/budget:Budget": watching.budget,
  "aws:cloudwatch/logGroup:LogGroup": watching.logGroup,
  "aws:dlm/lifecyclePolicy:LifecyclePolicy": watching.lifecyclePolicy,
  "aws:ebs/volume:Volume": machines.volume,
  "aws:ec2/eip:Eip": machines.eip,
  "aws:ec2/instance:Instance": machines.instance,
  "aws:ec2/keyPair:KeyPair": machines.keyPair,
  "aws:ec2/securityGroup:SecurityGroup": machines.securityGroup,
  "aws:elasticache/parameterGroup:ParameterGroup": data.cacheParameters,
  "aws:elasticache/replicationGroup:ReplicationGroup": data.replicationGroup,
  "aws:elasticache/subnetGroup:SubnetGroup": data.cacheSubnets,
  "aws:iam/instanceProfile:InstanceProfile": identity.instanceProfile,
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": identity.openIdConnectProvider,
  "aws:iam/policy:Policy": identity.policy,
  "aws:iam/role:Role": identity.role,
  "aws:rds/instance:Instance": data.databaseInstance,
  "aws:rds/subnetGroup:SubnetGroup": data.databaseSubnets,
  "aws:s3/bucket:Bucket": data.bucket,
  "aws:scheduler/schedule:Schedule": watching.schedule,
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": machines.egressRule,
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": machines.ingressRule,
};

/**
 * Types whose creation puts something in place: AWS takes it a second time, with nothing doubled (PutRolePolicy,
 * PutMetricAlarm, CreateTopic, Subscribe, PutBucketPolicy, …), or the provider looks first (a volume's attachment).
 */
export const repeatable: ReadonlySet<string> = new Set([
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:ec2/eipAssociation:EipAssociation",
  "aws:ec2/volumeAttachment:VolumeAttachment",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  "aws:s3/bucketPolicy:BucketPolicy",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketVersioning:BucketVersioning",
  "aws:sns/topic:Topic",
  "aws:sns/topicPolicy:TopicPolicy",
  "aws:sns/topicSubscription:TopicSubscription",
]);

/** Looks at AWS for what a killed run was making. @returns undefined for a type that the target doesn't declare */
export async function searchEc2(creation: PendingCreation, aws: AwsConnection): Promise<Search | undefined> {
  if (repeatable.has(creation.type)) return { kind: "repeatable" };
  const finder = Object.hasOwn(finders, creation.type) ? finders[creation.type] : undefined;
  if (finder === undefined) return undefined;
  try {
    return { kind: "candidates", candidates: await finder(wantedOf(creation, aws)) };
  } catch (error) {
    throw explainEc2(error, `${creation.name} (${creation.type})`);
  }
}
