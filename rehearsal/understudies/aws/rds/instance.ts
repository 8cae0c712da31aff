import type { DBInstance } from "@aws-sdk/client-rds";
import type { Api } from "../api";
import { type Failure, resource } from "../resource";
import type { KnownOf, Values } from "../schema";
import { codeOf, ifThere, waitFor } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";
import { common, inputs, modificationOf } from "./changes";

/** An instance by its identifier, or by the resource id that is its id. */
async function find(api: Api, id: string, state: Values): Promise<DBInstance | undefined> {
  const rds = await api.client("rds");
  const identifier = state["identifier"];
  if (typeof identifier === "string") {
    const found = await ifThere(rds.describeDBInstances({ DBInstanceIdentifier: identifier }));
    return found?.DBInstances?.[0];
  }
  const { DBInstances } = await rds.describeDBInstances({});
  return DBInstances?.find((each) => each.DbiResourceId === id || each.DBInstanceIdentifier === id);
}

async function available(api: Api, id: string, state: Values): Promise<DBInstance> {
  return waitFor(
    api,
    `database ${typeof state["identifier"] === "string" ? state["identifier"] : id} is available`,
    async () => {
      const found = await find(api, id, state);
      const status = found?.DBInstanceStatus ?? "";
      if (/^(failed|incompatible-|storage-full|inaccessible)/.test(status))
        throw new Error(`its status is "${status}"`);
      return status === "available" ? found : undefined;
    },
  );
}

function check(wanted: KnownOf<typeof inputs>): Failure[] {
  const failures: Failure[] = [];
  if (wanted.identifier !== undefined && !/^[a-z](?!.*--)[a-z0-9-]{0,62}(?<!-)$/.test(wanted.identifier)) {
    const reason = `"${wanted.identifier}": only lowercase letters, digits and single hyphens, a letter first, 63 at most`;
    failures.push({ property: "identifier", reason });
  }
  if ((wanted.backupRetentionPeriod ?? 0) > 35) {
    failures.push({ property: "backupRetentionPeriod", reason: "expected 0 to 35 days" });
  }
  if (wanted.password !== undefined && (wanted.password.length < 8 || /[/"@ ]/.test(wanted.password))) {
    failures.push({ property: "password", reason: `RDS takes 8 or more characters, none of them / " @ or a space` });
  }
  return failures;
}

/** aws.rds.Instance. Its id is the resource id that AWS gives it, as in the official provider. */
export const rdsInstance = resource({
  token: "aws:rds/instance:Instance",
  inputs,
  outputs: ["address", "arn", "endpoint", "engineVersionActual", "hostedZoneId", "resourceId", "status", "tagsAll"],
  autoname: { property: "identifier", longest: 63, lower: true },
  minutes: 60,
  check,
  lint: (wanted) => ({
    type: "AWS::RDS::DBInstance",
    properties: {
      DBInstanceClass: wanted.instanceClass,
      Engine: wanted.engine,
      EngineVersion: wanted.engineVersion,
      AllocatedStorage: wanted.allocatedStorage === undefined ? "20" : String(wanted.allocatedStorage),
      StorageType: wanted.storageType,
    },
    names: { DBInstanceClass: "instanceClass" },
  }),
  async create(api, wanted, made) {
    const rds = await api.client("rds");
    const { caCertIdentifier: CACertificateIdentifier } = wanted;
    const { DBInstance: instance } = await rds.createDBInstance({
      ...common(wanted),
      DBInstanceIdentifier: wanted.identifier,
      DBInstanceClass: wanted.instanceClass,
      Engine: wanted.engine,
      AvailabilityZone: wanted.availabilityZone,
      CACertificateIdentifier,
      DBName: wanted.dbName,
      DBSubnetGroupName: wanted.dbSubnetGroupName,
      EnableCloudwatchLogsExports: wanted.enabledCloudwatchLogsExports,
      KmsKeyId: wanted.kmsKeyId,
      MasterUsername: wanted.username,
      MasterUserPassword: wanted.password,
      Port: wanted.port,
      StorageEncrypted: wanted.storageEncrypted,
      Tags: tagList(wanted.tags),
    });
    const id = instance?.DbiResourceId ?? "";
    made(id);
    await available(api, id, { identifier: wanted.identifier });
    return id;
  },
  async read(api, id, state) {
    const found = await find(api, id, state);
    if (found === undefined || found.DBInstanceStatus === "deleting") return undefined;
    const { Address, Port, HostedZoneId } = found.Endpoint ?? {};
    return {
      address: Address,
      allocatedStorage: found.AllocatedStorage,
      arn: found.DBInstanceArn,
      autoMinorVersionUpgrade: found.AutoMinorVersionUpgrade,
      availabilityZone: found.AvailabilityZone,
      backupRetentionPeriod: found.BackupRetentionPeriod,
      backupWindow: found.PreferredBackupWindow,
      caCertIdentifier: found.CACertificateIdentifier,
      copyTagsToSnapshot: found.CopyTagsToSnapshot ?? false,
      dbName: found.DBName,
      dbSubnetGroupName: found.DBSubnetGroup?.DBSubnetGroupName,
      deletionProtection: found.DeletionProtection ?? false,
      enabledCloudwatchLogsExports: found.EnabledCloudwatchLogsExports ?? [],
      endpoint: Address === undefined ? undefined : `${Address}:${Port ?? 0}`,
      engine: found.Engine,
      // A program that names only a major version is content with any minor one.
      engineVersion: versionAsGiven(found.EngineVersion, state["engineVersion"]),
      engineVersionActual: found.EngineVersion,
      hostedZoneId: HostedZoneId,
      iamDatabaseAuthenticationEnabled: found.IAMDatabaseAuthenticationEnabled ?? false,
      identifier: found.DBInstanceIdentifier,
      instanceClass: found.DBInstanceClass,
      iops: found.Iops,
      kmsKeyId: found.KmsKeyId,
      maintenanceWindow: found.PreferredMaintenanceWindow,
      maxAllocatedStorage: found.MaxAllocatedStorage,
      monitoringInterval: found.MonitoringInterval ?? 0,
      multiAz: found.MultiAZ ?? false,
      parameterGroupName: found.DBParameterGroups?.[0]?.DBParameterGroupName,
      performanceInsightsEnabled: found.PerformanceInsightsEnabled ?? false,
      port: Port,
      publiclyAccessible: found.PubliclyAccessible ?? false,
      resourceId: found.DbiResourceId,
      status: found.DBInstanceStatus,
      storageEncrypted: found.StorageEncrypted ?? false,
      storageThroughput: found.StorageThroughput,
      storageType: found.StorageType,
      username: found.MasterUsername,
      vpcSecurityGroupIds: (found.VpcSecurityGroups ?? []).map((each) => each.VpcSecurityGroupId),
      ...observedTags(found.TagList),
    };
  },
  async update(api, id, { news, olds, changed }) {
    const rds = await api.client("rds");
    const modification = modificationOf(olds, news, changed);
    if (Object.keys(modification).length > 0) {
      await rds.modifyDBInstance({
        ...modification,
        DBInstanceIdentifier: String(olds["identifier"]),
        AllowMajorVersionUpgrade: news.allowMajorVersionUpgrade,
        ApplyImmediately: news.applyImmediately ?? false,
      });
      await available(
        api,
        id,
        changed.has("identifier") && news.applyImmediately === true ? { identifier: news.identifier } : olds,
      );
    }
    const ResourceName = String(olds["arn"]);
    await changeTags(
      olds,
      news,
      (tags) => rds.addTagsToResource({ ResourceName, Tags: tagList(tags) }),
      (TagKeys) => rds.removeTagsFromResource({ ResourceName, TagKeys }),
    );
  },
  async remove(api, id, state) {
    const rds = await api.client("rds");
    const found = await find(api, id, state);
    if (found === undefined) return;
    const skips = state["skipFinalSnapshot"] === true;
    const FinalDBSnapshotIdentifier = state["finalSnapshotIdentifier"];
    if (!skips && typeof FinalDBSnapshotIdentifier !== "string") {
      throw new Error("final_snapshot_identifier is required when skip_final_snapshot is false");
    }
    if (found.DBInstanceStatus !== "deleting") {
      try {
        await rds.deleteDBInstance({
          DBInstanceIdentifier: found.DBInstanceIdentifier,
          DeleteAutomatedBackups: state["deleteAutomatedBackups"] !== false,
          SkipFinalSnapshot: skips,
          ...(skips ? {} : { FinalDBSnapshotIdentifier: String(FinalDBSnapshotIdentifier) }),
        });
      } catch (error) {
        if (codeOf(error) !== "DBInstanceNotFound") throw error;
      }
    }
    await waitFor(api, `database ${found.DBInstanceIdentifier ?? id} is deleted`, async () =>
      (await find(api, id, state)) === undefined ? true : undefined,
    );
  },
});

function versionAsGiven(actual: string | undefined, given: unknown): string | undefined {
  return typeof given === "string" && actual?.startsWith(`${given}.`) === true ? given : actual;
}
