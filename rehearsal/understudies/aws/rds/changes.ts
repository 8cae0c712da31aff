import type { ModifyDBInstanceCommandInput } from "@aws-sdk/client-rds";
import { type Values, type ValuesOf, flag, map, number, set, text } from "../schema";

/** The inputs of aws.rds.Instance. */
export const inputs = {
  allocatedStorage: number({ computed: true }),
  allowMajorVersionUpgrade: flag(),
  applyImmediately: flag({ computed: true }),
  autoMinorVersionUpgrade: flag({ default: true }),
  availabilityZone: text({ replaces: true, computed: true }),
  backupRetentionPeriod: number({ computed: true }),
  backupWindow: text({ computed: true }),
  caCertIdentifier: text({ computed: true }),
  copyTagsToSnapshot: flag({ default: false }),
  dbName: text({ replaces: true, computed: true }),
  dbSubnetGroupName: text({ computed: true }),
  deleteAutomatedBackups: flag({ default: true }),
  deletionProtection: flag({ computed: true }),
  enabledCloudwatchLogsExports: set(text()),
  engine: text({ replaces: true, computed: true }),
  engineVersion: text({ computed: true }),
  finalSnapshotIdentifier: text(),
  iamDatabaseAuthenticationEnabled: flag(),
  identifier: text({ computed: true }),
  instanceClass: text({ required: true }),
  iops: number({ computed: true }),
  kmsKeyId: text({ replaces: true, computed: true }),
  maintenanceWindow: text({ computed: true }),
  maxAllocatedStorage: number(),
  monitoringInterval: number({ default: 0 }),
  multiAz: flag({ computed: true }),
  parameterGroupName: text({ computed: true }),
  password: text(),
  performanceInsightsEnabled: flag(),
  port: number({ computed: true }),
  publiclyAccessible: flag({ default: false }),
  skipFinalSnapshot: flag({ default: false }),
  snapshotIdentifier: text({ replaces: true }),
  storageEncrypted: flag({ replaces: true }),
  storageThroughput: number({ computed: true }),
  storageType: text({ computed: true, oneOf: ["standard", "gp2", "gp3", "io1", "io2"] }),
  tags: map(),
  username: text({ replaces: true, computed: true }),
  vpcSecurityGroupIds: set(text(), { computed: true }),
};

export type Inputs = ValuesOf<typeof inputs>;

type Modification = Omit<ModifyDBInstanceCommandInput, "DBInstanceIdentifier">;

/** What is told by both calls that make or change an instance. */
export const common = (wanted: Inputs): Modification => ({
  AllocatedStorage: wanted.allocatedStorage,
  AutoMinorVersionUpgrade: wanted.autoMinorVersionUpgrade,
  BackupRetentionPeriod: wanted.backupRetentionPeriod,
  PreferredBackupWindow: wanted.backupWindow,
  CACertificateIdentifier: wanted.caCertIdentifier,
  CopyTagsToSnapshot: wanted.copyTagsToSnapshot,
  DBInstanceClass: wanted.instanceClass,
  DBParameterGroupName: wanted.parameterGroupName,
  DeletionProtection: wanted.deletionProtection,
  EnableIAMDatabaseAuthentication: wanted.iamDatabaseAuthenticationEnabled,
  EnablePerformanceInsights: wanted.performanceInsightsEnabled,
  EngineVersion: wanted.engineVersion,
  Iops: wanted.iops,
  PreferredMaintenanceWindow: wanted.maintenanceWindow,
  MaxAllocatedStorage: wanted.maxAllocatedStorage,
  MonitoringInterval: wanted.monitoringInterval,
  MultiAZ: wanted.multiAz,
  PubliclyAccessible: wanted.publiclyAccessible,
  StorageThroughput: wanted.storageThroughput,
  StorageType: wanted.storageType,
  VpcSecurityGroupIds: wanted.vpcSecurityGroupIds,
});

/** The parameters of a change, by the inputs that they follow from. */
const parameters: Readonly<Record<string, keyof ModifyDBInstanceCommandInput>> = {
  allocatedStorage: "AllocatedStorage",
  autoMinorVersionUpgrade: "AutoMinorVersionUpgrade",
  backupRetentionPeriod: "BackupRetentionPeriod",
  backupWindow: "PreferredBackupWindow",
  caCertIdentifier: "CACertificateIdentifier",
  copyTagsToSnapshot: "CopyTagsToSnapshot",
  deletionProtection: "DeletionProtection",
  engineVersion: "EngineVersion",
  iamDatabaseAuthenticationEnabled: "EnableIAMDatabaseAuthentication",
  instanceClass: "DBInstanceClass",
  iops: "Iops",
  maintenanceWindow: "PreferredMaintenanceWindow",
  maxAllocatedStorage: "MaxAllocatedStorage",
  monitoringInterval: "MonitoringInterval",
  multiAz: "MultiAZ",
  parameterGroupName: "DBParameterGroupName",
  performanceInsightsEnabled: "EnablePerformanceInsights",
  publiclyAccessible: "PubliclyAccessible",
  storageThroughput: "StorageThroughput",
  storageType: "StorageType",
  vpcSecurityGroupIds: "VpcSecurityGroupIds",
};

function logChanges(olds: Values, news: Inputs): ModifyDBInstanceCommandInput["CloudwatchLogsExportConfiguration"] {
  const before = (olds["enabledCloudwatchLogsExports"] ?? []) as string[];
  const after = news.enabledCloudwatchLogsExports ?? [];
  return {
    EnableLogTypes: after.filter((each) => !before.includes(each)),
    DisableLogTypes: before.filter((each) => !after.includes(each)),
  };
}

/** What a change of some inputs asks of AWS; empty where only others changed. */
export function modificationOf(olds: Values, news: Inputs, changed: ReadonlySet<string>): Modification {
  const all = common(news);
  const wanted = Object.entries(parameters).filter(([name]) => changed.has(name));
  return {
    ...Object.fromEntries(wanted.map(([, parameter]) => [parameter, all[parameter as keyof typeof all]])),
    ...(changed.has("password") ? { MasterUserPassword: news.password } : {}),
    ...(changed.has("port") ? { DBPortNumber: news.port } : {}),
    ...(changed.has("identifier") ? { NewDBInstanceIdentifier: news.identifier } : {}),
    ...(changed.has("dbSubnetGroupName") ? { DBSubnetGroupName: news.dbSubnetGroupName } : {}),
    ...(changed.has("enabledCloudwatchLogsExports")
      ? { CloudwatchLogsExportConfiguration: logChanges(olds, news) }
      : {}),
  };
}
