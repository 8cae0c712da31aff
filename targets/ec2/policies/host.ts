import { bucketArn, tlsOnly } from "../../../drivers/s3/plan";
import { allow, policy, type PolicyDocument } from "./document";

/** Who may take on a role: a service of AWS. */
export const trustService = (service: string): PolicyDocument =>
  policy({ Sid: "Service", Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" });

/**
 * Lets a host write its apps' logs to their groups, put metrics of its own namespace, and send its alerts to the stack's topic,
 * where it has one.
 *
 * A group's ARN covers its streams with `:*` at its end (CloudWatch Logs API reference, LogGroup, `arn`). PutMetricData
 * knows no resource: `*` with a condition on the namespace is AWS's way to narrow it (Service Authorization Reference,
 * Amazon CloudWatch; CloudWatch user guide, "Using condition keys to limit access to CloudWatch namespaces").
 */
export function monitoringPolicy(
  logGroupArns: readonly string[],
  namespace: string,
  topicArn?: string,
): PolicyDocument {
  const metrics = allow("Metrics", ["cloudwatch:PutMetricData"], "*", {
    StringEquals: { "cloudwatch:namespace": namespace },
  });
  const alerts = topicArn === undefined ? [] : [allow("Alerts", ["sns:Publish"], topicArn)];
  if (logGroupArns.length === 0) return policy(metrics, ...alerts);
  // What was sent is read again where an answer was lost, so that nothing is sent twice.
  const logs = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"];
  return policy(
    allow(
      "Logs",
      logs,
      logGroupArns.map((arn) => `${arn}:*`),
    ),
    metrics,
    ...alerts,
  );
}

/**
 * What apps and the host's backup tools do with a bucket of their own: list, read, write, and clean up after an upload in
 * parts. They delete nothing: an archive keeps what it has, and a thief on the host can't empty it, as versioning keeps
 * what is overwritten.
 */
export function archivePolicy(bucket: string, region: string): PolicyDocument {
  const arn = bucketArn(bucket, region);
  return policy(
    allow("List", ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], arn),
    allow(
      "Use",
      ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
      `${arn}/*`,
    ),
  );
}

/** Refuses what comes unencrypted, as `drivers/s3` does for buckets elsewhere (S3 user guide, "Security best practices"). */
export function tlsOnlyPolicy(bucket: string, region: string): PolicyDocument {
  const arn = bucketArn(bucket, region);
  return policy({
    Sid: tlsOnly,
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  });
}

/** Lets the account's alarms, and nobody else's, send to a topic (CloudWatch user guide, "Notifying users on alarm changes"). */
export function alarmTopicPolicy(topicArn: string): PolicyDocument {
  const [, partition, , region, account] = topicArn.split(":");
  return policy({
    Sid: "Alarms",
    Effect: "Allow",
    Principal: { Service: "cloudwatch.amazonaws.com" },
    Action: "sns:Publish",
    Resource: topicArn,
    Condition: {
      ArnLike: { "aws:SourceArn": `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
      StringEquals: { "aws:SourceAccount": account ?? "" },
    },
  });
}
