import { namePrefix } from "../../names";
import { allow, type Statement } from "../document";
import type { GithubScope } from "./scope";

/** Servers on RDS and ElastiCache. */
export function databases({ partition, account, stack }: GithubScope): Statement[] {
  const prefix = namePrefix(stack);
  const arn = (service: string, rest: string) => `arn:${partition}:${service}:*:${account}:${rest}`;
  return [
    allow(
      "Databases",
      [
        "rds:AddTagsToResource",
        "rds:CreateDBInstance",
        "rds:CreateDBSnapshot",
        "rds:CreateDBSubnetGroup",
        "rds:DeleteDBInstance",
        "rds:DeleteDBSubnetGroup",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSubnetGroups",
        "rds:ListTagsForResource",
        "rds:ModifyDBInstance",
        "rds:ModifyDBSubnetGroup",
      ],
      ["db", "snapshot", "subgrp"].map((kind) => arn("rds", `${kind}:${prefix}*`)),
    ),
    allow(
      "DatabaseDefaults",
      ["rds:CreateDBInstance", "rds:ModifyDBInstance"],
      [arn("rds", "og:default:*"), arn("rds", "pg:default.*")],
    ),
    allow(
      "Caches",
      [
        "elasticache:AddTagsToResource",
        "elasticache:CreateCacheParameterGroup",
        "elasticache:CreateCacheSubnetGroup",
        "elasticache:CreateReplicationGroup",
        "elasticache:DeleteCacheParameterGroup",
        "elasticache:DeleteCacheSubnetGroup",
        "elasticache:DeleteReplicationGroup",
        "elasticache:DescribeCacheClusters",
        "elasticache:DescribeCacheParameterGroups",
        "elasticache:DescribeCacheParameters",
        "elasticache:DescribeCacheSubnetGroups",
        "elasticache:DescribeReplicationGroups",
        "elasticache:ListTagsForResource",
        "elasticache:ModifyCacheParameterGroup",
        "elasticache:ModifyCacheSubnetGroup",
        "elasticache:ModifyReplicationGroup",
      ],
      ["cluster", "parametergroup", "replicationgroup", "snapshot", "subnetgroup"].map((kind) =>
        arn("elasticache", `${kind}:${prefix}*`),
      ),
    ),
  ];
}
