import type { ReplicationGroup } from "@aws-sdk/client-elasticache";
import type { Api } from "../api";
import { resource } from "../resource";
import { flag, map, number, set, text } from "../schema";
import { ifThere, removed, retry, waitFor } from "../steps";
import { tagList } from "../tags";
import { cacheTags, changeCacheTags } from "./tags";

async function find(api: Api, ReplicationGroupId: string): Promise<ReplicationGroup | undefined> {
  const elasticache = await api.client("elasticache");
  return (await ifThere(elasticache.describeReplicationGroups({ ReplicationGroupId })))?.ReplicationGroups?.[0];
}

const available = (api: Api, id: string): Promise<ReplicationGroup> =>
  waitFor(api, `replication group ${id} is available`, async () => {
    const found = await find(api, id);
    if (found?.Status === "create-failed") throw new Error(`replication group ${id} failed to be made`);
    return found?.Status === "available" ? found : undefined;
  });

/** aws.elasticache.ReplicationGroup, as far as one without shards goes. */
export const replicationGroup = resource({
  token: "aws:elasticache/replicationGroup:ReplicationGroup",
  inputs: {
    applyImmediately: flag({ computed: true }),
    atRestEncryptionEnabled: flag({ replaces: true, computed: true }),
    authToken: text(),
    authTokenUpdateStrategy: text({ computed: true, oneOf: ["SET", "ROTATE", "DELETE"] }),
    autoMinorVersionUpgrade: flag({ computed: true }),
    automaticFailoverEnabled: flag({ default: false }),
    description: text({ required: true }),
    engine: text({ default: "redis", oneOf: ["redis", "valkey"] }),
    engineVersion: text({ computed: true }),
    finalSnapshotIdentifier: text(),
    kmsKeyId: text({ replaces: true }),
    maintenanceWindow: text({ computed: true }),
    multiAzEnabled: flag({ default: false }),
    nodeType: text({ computed: true }),
    numCacheClusters: number({ computed: true }),
    parameterGroupName: text({ computed: true }),
    port: number({ replaces: true, computed: true }),
    replicationGroupId: text({ replaces: true, computed: true }),
    securityGroupIds: set(text(), { computed: true }),
    snapshotRetentionLimit: number({ computed: true }),
    snapshotWindow: text({ computed: true }),
    subnetGroupName: text({ replaces: true, computed: true }),
    tags: map(),
    transitEncryptionEnabled: flag({ computed: true }),
    transitEncryptionMode: text({ computed: true, oneOf: ["preferred", "required"] }),
  },
  outputs: [
    "arn",
    "clusterEnabled",
    "configurationEndpointAddress",
    "engineVersionActual",
    "memberClusters",
    "primaryEndpointAddress",
    "readerEndpointAddress",
    "tagsAll",
  ],
  autoname: { property: "replicationGroupId", longest: 40, lower: true },
  minutes: 60,
  check: ({ authToken, replicationGroupId }) => [
    ...(authToken === undefined || /^[^@"/\s]{16,128}$/.test(authToken)
      ? []
      : [{ property: "authToken", reason: `ElastiCache takes 16 to 128 characters, none of them @ " / or a space` }]),
    ...(replicationGroupId === undefined || /^[a-z](?!.*--)[a-z0-9-]{0,39}(?<!-)$/.test(replicationGroupId)
      ? []
      : [{ property: "replicationGroupId", reason: "only lowercase letters, digits and single hyphens, 40 at most" }]),
  ],
  lint: (wanted) => ({
    type: "AWS::ElastiCache::ReplicationGroup",
    properties: {
      AtRestEncryptionEnabled: wanted.atRestEncryptionEnabled,
      AutomaticFailoverEnabled: wanted.automaticFailoverEnabled,
      CacheNodeType: wanted.nodeType,
      Engine: wanted.engine,
      EngineVersion: wanted.engineVersion,
      MultiAZEnabled: wanted.multiAzEnabled,
      NumCacheClusters: wanted.numCacheClusters,
      ReplicationGroupDescription: wanted.description,
      SnapshotRetentionLimit: wanted.snapshotRetentionLimit,
      TransitEncryptionEnabled: wanted.transitEncryptionEnabled,
      TransitEncryptionMode: wanted.transitEncryptionMode,
    },
    names: { CacheNodeType: "nodeType", ReplicationGroupDescription: "description" },
  }),
  async create(api, wanted, made) {
    const elasticache = await api.client("elasticache");
    const id = wanted.replicationGroupId!;
    await elasticache.createReplicationGroup({
      ReplicationGroupId: id,
      ReplicationGroupDescription: wanted.description,
      AtRestEncryptionEnabled: wanted.atRestEncryptionEnabled,
      AuthToken: wanted.authToken,
      AutoMinorVersionUpgrade: wanted.autoMinorVersionUpgrade,
      AutomaticFailoverEnabled: wanted.automaticFailoverEnabled,
      CacheNodeType: wanted.nodeType,
      CacheParameterGroupName: wanted.parameterGroupName,
      CacheSubnetGroupName: wanted.subnetGroupName,
      Engine: wanted.engine,
      EngineVersion: wanted.engineVersion,
      KmsKeyId: wanted.kmsKeyId,
      MultiAZEnabled: wanted.multiAzEnabled,
      NumCacheClusters: wanted.numCacheClusters,
      Port: wanted.port,
      PreferredMaintenanceWindow: wanted.maintenanceWindow,
      SecurityGroupIds: wanted.securityGroupIds,
      SnapshotRetentionLimit: wanted.snapshotRetentionLimit,
      SnapshotWindow: wanted.snapshotWindow,
      Tags: tagList(wanted.tags),
      TransitEncryptionEnabled: wanted.transitEncryptionEnabled,
      TransitEncryptionMode: wanted.transitEncryptionMode as "required" | undefined,
    });
    made(id);
    await available(api, id);
    return id;
  },
  async read(api, id) {
    const found = await find(api, id);
    if (found === undefined || found.Status === "deleting") return undefined;
    const elasticache = await api.client("elasticache");
    const member = found.MemberClusters?.[0];
    const clusters =
      member === undefined ? undefined : await ifThere(elasticache.describeCacheClusters({ CacheClusterId: member }));
    const cluster = clusters?.CacheClusters?.[0];
    const group = found.NodeGroups?.[0];
    return {
      arn: found.ARN,
      atRestEncryptionEnabled: found.AtRestEncryptionEnabled ?? false,
      automaticFailoverEnabled: found.AutomaticFailover === "enabled" || found.AutomaticFailover === "enabling",
      clusterEnabled: found.ClusterEnabled ?? false,
      configurationEndpointAddress: found.ConfigurationEndpoint?.Address ?? "",
      description: found.Description,
      engineVersionActual: cluster?.EngineVersion,
      memberClusters: found.MemberClusters ?? [],
      multiAzEnabled: found.MultiAZ === "enabled",
      nodeType: found.CacheNodeType ?? cluster?.CacheNodeType,
      numCacheClusters: found.MemberClusters?.length,
      port: group?.PrimaryEndpoint?.Port ?? found.ConfigurationEndpoint?.Port,
      primaryEndpointAddress: group?.PrimaryEndpoint?.Address,
      readerEndpointAddress: group?.ReaderEndpoint?.Address,
      replicationGroupId: found.ReplicationGroupId,
      snapshotRetentionLimit: found.SnapshotRetentionLimit,
      snapshotWindow: found.SnapshotWindow,
      transitEncryptionEnabled: found.TransitEncryptionEnabled ?? false,
      ...(found.TransitEncryptionMode === undefined ? {} : { transitEncryptionMode: found.TransitEncryptionMode }),
      ...(await cacheTags(api, found.ARN)),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const elasticache = await api.client("elasticache");
    const ReplicationGroupId = id;
    const ApplyImmediately = news.applyImmediately ?? false;
    const before = Number(olds["numCacheClusters"]);
    if (changed.has("numCacheClusters") && news.numCacheClusters !== undefined) {
      const replicas = { ReplicationGroupId, ApplyImmediately: true, NewReplicaCount: news.numCacheClusters - 1 };
      await (news.numCacheClusters > before
        ? elasticache.increaseReplicaCount(replicas)
        : elasticache.decreaseReplicaCount(replicas));
      await available(api, id);
    }
    const quiet = ["tags", "numCacheClusters", "applyImmediately", "finalSnapshotIdentifier"];
    if ([...changed].some((name) => !quiet.includes(name))) {
      await elasticache.modifyReplicationGroup({
        ReplicationGroupId,
        ApplyImmediately,
        ReplicationGroupDescription: news.description,
        AutomaticFailoverEnabled: news.automaticFailoverEnabled,
        MultiAZEnabled: news.multiAzEnabled,
        ...(changed.has("nodeType") ? { CacheNodeType: news.nodeType } : {}),
        ...(changed.has("parameterGroupName") ? { CacheParameterGroupName: news.parameterGroupName } : {}),
        ...(changed.has("engine") ? { Engine: news.engine } : {}),
        ...(changed.has("engineVersion") ? { EngineVersion: news.engineVersion } : {}),
        ...(changed.has("maintenanceWindow") ? { PreferredMaintenanceWindow: news.maintenanceWindow } : {}),
        ...(changed.has("securityGroupIds") ? { SecurityGroupIds: news.securityGroupIds } : {}),
        ...(changed.has("snapshotRetentionLimit") ? { SnapshotRetentionLimit: news.snapshotRetentionLimit } : {}),
        ...(changed.has("snapshotWindow") ? { SnapshotWindow: news.snapshotWindow } : {}),
        ...(changed.has("authToken")
          ? {
              AuthToken: news.authToken,
              AuthTokenUpdateStrategy: (news.authTokenUpdateStrategy ?? "ROTATE") as "ROTATE",
            }
          : {}),
      });
      await available(api, id);
    }
    await changeCacheTags(api, olds, news);
  },
  async remove(api, id, state) {
    const elasticache = await api.client("elasticache");
    const FinalSnapshotIdentifier = state["finalSnapshotIdentifier"];
    await removed(
      retry(api, /InvalidReplicationGroupState/, () =>
        elasticache.deleteReplicationGroup({
          ReplicationGroupId: id,
          ...(typeof FinalSnapshotIdentifier === "string" ? { FinalSnapshotIdentifier } : {}),
        }),
      ),
    );
    await waitFor(api, `replication group ${id} is deleted`, async () =>
      (await find(api, id)) === undefined ? true : undefined,
    );
  },
});
