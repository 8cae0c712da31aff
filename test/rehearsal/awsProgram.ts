/** A program with each type of resource and each function that the understudy of the aws provider has. */
export const everything = `
import * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";

const config = new pulumi.Config();
const tags = { Name: "tiny", "homeport:stack": config.get("stack") ?? "dev" };
const assumedBy = (Service: string) => JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service } }],
});

const me = aws.getCallerIdentityOutput();
const partition = aws.getPartitionOutput();
const vpc = aws.ec2.getVpcOutput({ default: true });
const subnets = aws.ec2.getSubnetsOutput({ filters: [{ name: "vpc-id", values: [vpc.id] }] });
const subnet = aws.ec2.getSubnetOutput({ id: subnets.ids[0] });
const image = aws.ssm.getParameterOutput({ name: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64" });

const group = new aws.ec2.SecurityGroup("group", { vpcId: vpc.id, description: config.get("describe") ?? "tiny", tags });
new aws.vpc.SecurityGroupIngressRule("web", {
  securityGroupId: group.id, ipProtocol: "tcp", fromPort: 443, toPort: config.getNumber("port") ?? 443, cidrIpv4: "192.0.2.0/24", tags,
});
new aws.vpc.SecurityGroupIngressRule("self", { securityGroupId: group.id, ipProtocol: "-1", referencedSecurityGroupId: group.id });
new aws.vpc.SecurityGroupEgressRule("out", { securityGroupId: group.id, ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" });
new aws.vpc.SecurityGroupEgressRule("out6", { securityGroupId: group.id, ipProtocol: "-1", cidrIpv6: "::/0" });
const key = new aws.ec2.KeyPair("key", {
  publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPhQU7UXMUvXk1DXBEyZUj2ZQyIiM5ZsIvn2hJyWvU1 tiny", tags,
});

const role = new aws.iam.Role("role", {
  assumeRolePolicy: assumedBy("ec2.amazonaws.com"), description: "tiny", maxSessionDuration: 3600, tags,
});
const bucket = new aws.s3.Bucket("bucket", { forceDestroy: true, tags });
const policy = new aws.iam.RolePolicy("policy", {
  role: role.name,
  policy: bucket.arn.apply((arn) => JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: [config.get("action") ?? "s3:GetObject"], Resource: [arn + "/*"] }],
  })),
});
const rights = new aws.iam.Policy("rights", {
  path: "/tiny/", tags,
  policy: JSON.stringify({
    Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: [config.get("right") ?? "sns:Publish"], Resource: "arn:aws:sns:us-east-1:123456789012:tiny" }],
  }),
});
new aws.iam.RolePolicyAttachment("rights", { role: role.name, policyArn: rights.arn });
new aws.iam.RolePolicyAttachment("session", {
  role: role.name, policyArn: pulumi.interpolate\`arn:\${partition.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore\`,
});
const profile = new aws.iam.InstanceProfile("profile", { role: role.name, tags });
const oidc = new aws.iam.OpenIdConnectProvider("github", {
  url: "https://token.actions.githubusercontent.com", clientIdLists: ["sts.amazonaws.com"],
  thumbprintLists: ["6938fd4d98bab03faadb97b34396831e3780aea1"], tags,
});

const instance = new aws.ec2.Instance("instance", {
  ami: image.value,
  instanceType: config.get("type") ?? "t3.micro",
  subnetId: subnet.id,
  vpcSecurityGroupIds: [group.id],
  keyName: key.keyName,
  iamInstanceProfile: profile.name,
  creditSpecification: { cpuCredits: "standard" },
  disableApiTermination: config.getBoolean("protect") ?? false,
  metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
  rootBlockDevice: { volumeSize: config.getNumber("root") ?? 10, volumeType: "gp3", encrypted: true },
  volumeTags: { ...tags, disk: "root" },
  userData: config.get("userData") ?? "#!/bin/sh\\necho tiny\\n",
  monitoring: false,
  tags,
}, { dependsOn: [policy], ignoreChanges: ["volumeTags", ...(config.getBoolean("moved") ? ["ami"] : [])], customTimeouts: { create: "5m" } });
const volume = new aws.ebs.Volume("volume", {
  availabilityZone: subnet.availabilityZone, size: config.getNumber("size") ?? 20, type: "gp3", encrypted: true, tags,
});
new aws.ec2.VolumeAttachment("attachment", { instanceId: instance.id, volumeId: volume.id, deviceName: "/dev/sdf" });
const eip = new aws.ec2.Eip("address", { domain: "vpc", tags });
const association = new aws.ec2.EipAssociation("association", { allocationId: eip.allocationId, instanceId: instance.id });

new aws.s3.BucketOwnershipControls("owner", { bucket: bucket.id, rule: { objectOwnership: "BucketOwnerEnforced" } });
new aws.s3.BucketVersioning("versions", {
  bucket: bucket.id, versioningConfiguration: { status: config.get("versioning") ?? "Enabled" },
});
new aws.s3.BucketServerSideEncryptionConfiguration("encryption", {
  bucket: bucket.id, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: true }],
});
const block = new aws.s3.BucketPublicAccessBlock("block", {
  bucket: bucket.id, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true,
});
new aws.s3.BucketPolicy("tls", {
  bucket: bucket.id,
  policy: bucket.arn.apply((arn) => JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
      Sid: "TlsOnly", Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [arn, arn + "/*"],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    }],
  })),
}, { dependsOn: [block] });
new aws.s3.BucketLifecycleConfiguration("lifecycle", {
  bucket: bucket.id,
  rules: [
    { id: "cold", status: "Enabled", filter: { prefix: "" }, transitions: [{ days: config.getNumber("cold") ?? 30, storageClass: "STANDARD_IA" }] },
    { id: "uploads", status: "Enabled", filter: {}, abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } },
  ],
});

const dbSubnets = new aws.rds.SubnetGroup("db", { subnetIds: subnets.ids, tags });
const parameters = new aws.rds.ParameterGroup("parameters", {
  family: "postgres17", parameters: [{ name: "rds.force_ssl", value: config.get("ssl") ?? "1", applyMethod: "immediate" }], tags,
});
const database = new aws.rds.Instance("database", {
  engine: "postgres", engineVersion: "17", instanceClass: config.get("class") ?? "db.t4g.micro", allocatedStorage: 20, storageType: "gp3",
  storageEncrypted: true, dbName: "tiny", username: "tiny", password: config.requireSecret("password"),
  dbSubnetGroupName: dbSubnets.name, parameterGroupName: parameters.name, vpcSecurityGroupIds: [group.id],
  backupRetentionPeriod: 7, skipFinalSnapshot: true, publiclyAccessible: false, applyImmediately: true, copyTagsToSnapshot: true,
  port: 5432, maxAllocatedStorage: 40, caCertIdentifier: "rds-ca-rsa2048-g1", multiAz: false, autoMinorVersionUpgrade: true,
  deleteAutomatedBackups: true, deletionProtection: config.getBoolean("protect") ?? false, tags,
});
const cacheSubnets = new aws.elasticache.SubnetGroup("cache", {
  subnetIds: subnets.ids, description: config.get("describeCache") ?? "tiny", tags,
});
const cacheParameters = new aws.elasticache.ParameterGroup("cache", {
  family: "valkey8", parameters: [{ name: "maxmemory-policy", value: config.get("evict") ?? "noeviction" }], tags,
});
const cache = new aws.elasticache.ReplicationGroup("cache", {
  description: config.get("describeCache") ?? "tiny", engine: "valkey", engineVersion: "8.0", nodeType: "cache.t4g.micro", numCacheClusters: 1, port: 6379,
  subnetGroupName: cacheSubnets.name, securityGroupIds: [group.id], atRestEncryptionEnabled: true,
  transitEncryptionEnabled: true, authToken: config.requireSecret("password"), applyImmediately: true,
  parameterGroupName: cacheParameters.name, autoMinorVersionUpgrade: true, automaticFailoverEnabled: false, multiAzEnabled: false,
  snapshotRetentionLimit: 7, finalSnapshotIdentifier: "tiny-last", tags,
});

const logs = new aws.cloudwatch.LogGroup("logs", { retentionInDays: config.getNumber("days") ?? 30, tags });
const topic = new aws.sns.Topic("topic", { tags, displayName: config.get("display") ?? "tiny" });
new aws.sns.TopicSubscription("mail", { topic: topic.arn, protocol: "email", endpoint: "tiny@example.com" });
new aws.sns.TopicPolicy("publish", {
  arn: topic.arn,
  policy: pulumi.all([topic.arn, me.accountId]).apply(([arn, account]) => JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
      Effect: "Allow", Principal: { Service: "cloudwatch.amazonaws.com" }, Action: "sns:Publish", Resource: arn,
      Condition: { StringEquals: { "aws:SourceAccount": account } },
    }],
  })),
});
const alarm = new aws.cloudwatch.MetricAlarm("alarm", {
  comparisonOperator: "GreaterThanThreshold", evaluationPeriods: 2, metricName: "StatusCheckFailed", namespace: "AWS/EC2",
  period: 60, statistic: "Maximum", threshold: config.getNumber("threshold") ?? 0, dimensions: { InstanceId: instance.id },
  alarmActions: [topic.arn], okActions: [topic.arn], treatMissingData: "breaching", tags,
});
const keeper = new aws.iam.Role("keeper", { assumeRolePolicy: assumedBy("dlm.amazonaws.com") });
const snapshots = new aws.dlm.LifecyclePolicy("snapshots", {
  description: "tiny snapshots", executionRoleArn: keeper.arn, state: "ENABLED", tags,
  policyDetails: {
    resourceTypes: ["VOLUME"], targetTags: { Name: "tiny" },
    schedules: [{
      name: "daily", createRule: { interval: 24, intervalUnit: "HOURS", times: "03:00" },
      retainRule: { count: config.getNumber("keep") ?? 7 }, copyTags: true, tagsToAdd: { "homeport:made": "dlm" },
    }],
  },
});
const budget = new aws.budgets.Budget("budget", {
  budgetType: "COST", limitAmount: config.get("limit") ?? "50", limitUnit: "USD", timeUnit: "MONTHLY", tags,
  notifications: [{
    comparisonOperator: "GREATER_THAN", notificationType: "ACTUAL", threshold: 80, thresholdType: "PERCENTAGE",
    subscriberEmailAddresses: ["tiny@example.com"],
  }],
});
const stopper = new aws.iam.Role("stopper", { assumeRolePolicy: assumedBy("scheduler.amazonaws.com") });
const schedule = new aws.scheduler.Schedule("stop", {
  scheduleExpression: config.get("when") ?? "cron(0 20 ? * MON-FRI *)", scheduleExpressionTimezone: "Europe/Berlin",
  flexibleTimeWindow: { mode: "OFF" },
  target: {
    arn: pulumi.interpolate\`arn:\${partition.partition}:scheduler:::aws-sdk:ec2:stopInstances\`, roleArn: stopper.arn,
    input: instance.id.apply((id) => JSON.stringify({ InstanceIds: [id] })),
  },
});
const seen = aws.ec2.getInstanceOutput({ instanceId: instance.id });

export const ids = {
  account: me.accountId, group: group.id, instance: instance.id, volume: volume.id, eip: eip.id, association: association.id,
  bucket: bucket.id, role: role.id, profile: profile.id, database: database.id, cache: cache.id, alarm: alarm.id, schedule: schedule.id,
  budget: budget.id, snapshots: snapshots.id, topic: topic.id, logs: logs.id, oidc: oidc.id,
};
export const seenType = seen.instanceType;
export const arn = instance.arn;
export const publicIp = eip.publicIp;
export const endpoint = database.endpoint;
export const primary = cache.primaryEndpointAddress;
`;
