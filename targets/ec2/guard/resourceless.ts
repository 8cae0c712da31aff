/**
 * Actions that AWS lets nobody narrow to a resource, so that `Resource: "*"` is the only way to allow them (Service
 * Authorization Reference, column "Resource types" empty, of Amazon EC2, ECR, SNS and STS). Nothing else passes with it.
 */
export const resourceless: ReadonlySet<string> = new Set([
  "ec2:DescribeAddresses",
  "ec2:DescribeAddressesAttribute",
  "ec2:DescribeAvailabilityZones",
  "ec2:DescribeIamInstanceProfileAssociations",
  "ec2:DescribeImages",
  "ec2:DescribeInstanceCreditSpecifications",
  "ec2:DescribeInstanceStatus",
  "ec2:DescribeInstanceTypes",
  "ec2:DescribeInstances",
  "ec2:DescribeKeyPairs",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeRouteTables",
  "ec2:DescribeSecurityGroupRules",
  "ec2:DescribeSecurityGroups",
  "ec2:DescribeSnapshots",
  "ec2:DescribeSubnets",
  "ec2:DescribeTags",
  "ec2:DescribeVolumes",
  "ec2:DescribeVolumesModifications",
  "ec2:DescribeVpcs",
  "ecr:GetAuthorizationToken",
  "sns:GetSubscriptionAttributes",
  "sns:Unsubscribe",
  "sts:GetCallerIdentity",
]);

/**
 * Others of that kind write so much that they pass only with a condition on a key that starts so. PutMetricData without
 * one could put false values into any metric, and so silence any alarm.
 */
export const narrowedBy: Readonly<Record<string, string>> = {
  "cloudwatch:PutMetricData": "cloudwatch:namespace",
  "dlm:CreateLifecyclePolicy": "aws:RequestTag/",
};
