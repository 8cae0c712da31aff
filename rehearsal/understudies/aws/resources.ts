import { budget } from "./budgets/budget";
import { logGroup } from "./cloudwatch/logGroup";
import { metricAlarm } from "./cloudwatch/metricAlarm";
import { lifecyclePolicy } from "./dlm/lifecyclePolicy";
import { eip, eipAssociation } from "./ec2/eip";
import { instance } from "./ec2/instance";
import { keyPair } from "./ec2/keyPair";
import { securityGroup } from "./ec2/securityGroup";
import { egressRule, ingressRule } from "./ec2/securityGroupRule";
import { volume, volumeAttachment } from "./ec2/volume";
import { cacheParameterGroup, cacheSubnetGroup } from "./elasticache/groups";
import { replicationGroup } from "./elasticache/replicationGroup";
import { instanceProfile } from "./iam/instanceProfile";
import { openIdConnectProvider } from "./iam/openIdConnectProvider";
import { managedPolicy } from "./iam/managedPolicy";
import { rolePolicy, rolePolicyAttachment } from "./iam/policies";
import { role } from "./iam/role";
import { rdsParameterGroup, rdsSubnetGroup } from "./rds/groups";
import { rdsInstance } from "./rds/instance";
import type { ResourceType } from "./resource";
import { bucket } from "./s3/bucket";
import { bucketLifecycle } from "./s3/lifecycle";
import {
  bucketEncryption,
  bucketOwnershipControls,
  bucketPolicy,
  bucketPublicAccessBlock,
  bucketVersioning,
} from "./s3/settings";
import { schedule } from "./scheduler/schedule";
import { topicSubscription } from "./sns/subscription";
import { topic, topicPolicy } from "./sns/topic";

const types: readonly ResourceType[] = [
  bucket,
  bucketEncryption,
  bucketLifecycle,
  bucketOwnershipControls,
  bucketPolicy,
  bucketPublicAccessBlock,
  bucketVersioning,
  budget,
  cacheParameterGroup,
  cacheSubnetGroup,
  egressRule,
  eip,
  eipAssociation,
  ingressRule,
  instance,
  instanceProfile,
  keyPair,
  lifecyclePolicy,
  logGroup,
  managedPolicy,
  metricAlarm,
  openIdConnectProvider,
  rdsInstance,
  rdsParameterGroup,
  rdsSubnetGroup,
  replicationGroup,
  role,
  rolePolicy,
  rolePolicyAttachment,
  schedule,
  securityGroup,
  topic,
  topicPolicy,
  topicSubscription,
  volume,
  volumeAttachment,
];

/** The resource types that the understudy has, by their tokens. */
export const resources: ReadonlyMap<string, ResourceType> = new Map(types.map((each) => [each.token, each]));
