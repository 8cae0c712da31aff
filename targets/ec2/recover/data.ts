import type { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import type { RDSClient } from "@aws-sdk/client-rds";
import { clientOptions } from "../../../drivers/ec2/client";
import type { Candidate } from "../../recovery";
import { connectionTo } from "../awsConfig";
import { ifThere, inRegion, stateOf, type Wanted } from "./wanted";

const optionsFor = (service: string, { aws, region }: Wanted) => clientOptions(connectionTo(aws, service, region));

async function rds(wanted: Wanted): Promise<RDSClient> {
  const options = optionsFor("rds", wanted);
  const { RDSClient } = await import("@aws-sdk/client-rds");
  return new RDSClient(options);
}

async function elasticache(wanted: Wanted): Promise<ElastiCacheClient> {
  const options = optionsFor("elasticache", wanted);
  const { ElastiCacheClient } = await import("@aws-sdk/client-elasticache");
  return new ElastiCacheClient(options);
}

/** What was found by its name, which is its id. */
const named = (wanted: Wanted, id: string, there: boolean, removal: string): Candidate[] =>
  there ? [{ id, ...inRegion(id, wanted), remove: `aws ${removal} ${id} --region ${wanted.region}` }] : [];

/** The provider's id is RDS's own, which outlives a new name. */
export async function databaseInstance(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeDBInstancesCommand } = await import("@aws-sdk/client-rds");
  const name = wanted.text("identifier");
  const found = await ifThere((await rds(wanted)).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: name })));
  return (found?.DBInstances ?? []).map(({ DbiResourceId: id = "" }) => ({
    id,
    state: stateOf(wanted, { id, resourceId: id }),
    remove: `aws rds delete-db-instance --db-instance-identifier ${name} --region ${wanted.region}`,
  }));
}

export async function databaseSubnets(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeDBSubnetGroupsCommand } = await import("@aws-sdk/client-rds");
  const DBSubnetGroupName = wanted.text("name");
  const found = await ifThere((await rds(wanted)).send(new DescribeDBSubnetGroupsCommand({ DBSubnetGroupName })));
  const there = (found?.DBSubnetGroups ?? []).length > 0;
  return named(wanted, DBSubnetGroupName, there, "rds delete-db-subnet-group --db-subnet-group-name");
}

export async function replicationGroup(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeReplicationGroupsCommand } = await import("@aws-sdk/client-elasticache");
  const ReplicationGroupId = wanted.text("replicationGroupId");
  const command = new DescribeReplicationGroupsCommand({ ReplicationGroupId });
  const found = await ifThere((await elasticache(wanted)).send(command));
  const there = (found?.ReplicationGroups ?? []).length > 0;
  const removal = "elasticache delete-replication-group --replication-group-id";
  return named(wanted, ReplicationGroupId, there, removal).map(({ id, remove }) => ({
    ...{ id, remove },
    state: stateOf(wanted, { id }),
  }));
}

export async function cacheSubnets(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeCacheSubnetGroupsCommand } = await import("@aws-sdk/client-elasticache");
  const CacheSubnetGroupName = wanted.text("name");
  const command = new DescribeCacheSubnetGroupsCommand({ CacheSubnetGroupName });
  const found = await ifThere((await elasticache(wanted)).send(command));
  const there = (found?.CacheSubnetGroups ?? []).length > 0;
  return named(wanted, CacheSubnetGroupName, there, "elasticache delete-cache-subnet-group --cache-subnet-group-name");
}

export async function cacheParameters(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeCacheParameterGroupsCommand } = await import("@aws-sdk/client-elasticache");
  const CacheParameterGroupName = wanted.text("name");
  const command = new DescribeCacheParameterGroupsCommand({ CacheParameterGroupName });
  const found = await ifThere((await elasticache(wanted)).send(command));
  const there = (found?.CacheParameterGroups ?? []).length > 0;
  const removal = "elasticache delete-cache-parameter-group --cache-parameter-group-name";
  return named(wanted, CacheParameterGroupName, there, removal);
}

/** Names of buckets are the world's: one that another account has can't be looked at, and isn't taken. */
export async function bucket(wanted: Wanted): Promise<Candidate[]> {
  const options = optionsFor("s3", wanted);
  const { HeadBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
  const Bucket = wanted.text("bucket");
  const client = new S3Client({ ...options, forcePathStyle: options.endpoint !== undefined });
  const found = await ifThere(client.send(new HeadBucketCommand({ Bucket })));
  return named(wanted, Bucket, found !== undefined, "s3api delete-bucket --bucket");
}
