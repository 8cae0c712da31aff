import { isOff, objectOf, objectsOf, unknown, type Rule, type Violation } from "./rule";

/** Data at rest and on its way is encrypted: a switch that costs nothing and can't be turned on later without a copy. */
export const encrypted: Rule = (type, props) => {
  switch (type) {
    case "aws:ebs/volume:Volume":
    case "aws:efs/fileSystem:FileSystem":
      return isOff(props["encrypted"]) ? [unencrypted("Its disk isn't encrypted.", "encrypted: true")] : [];
    case "aws:ec2/instance:Instance":
    case "aws:ec2/launchConfiguration:LaunchConfiguration": {
      const root = props["rootBlockDevice"];
      const disks = objectsOf(props["ebsBlockDevices"]).filter((disk) => isOff(disk["encrypted"]));
      return [
        ...(root !== unknown && isOff(objectOf(root)["encrypted"])
          ? [unencrypted("Its root disk isn't encrypted.", "rootBlockDevice: { encrypted: true }")]
          : []),
        ...disks.map(({ deviceName }) =>
          unencrypted(`Its disk ${String(deviceName)} isn't encrypted.`, "ebsBlockDevices: [{ encrypted: true }]"),
        ),
      ];
    }
    case "aws:rds/instance:Instance":
      // A replica is encrypted as its source is.
      return props["replicateSourceDb"] === undefined && isOff(props["storageEncrypted"])
        ? [unencrypted("Its storage isn't encrypted.", "storageEncrypted: true")]
        : [];
    case "aws:rds/cluster:Cluster":
      return isOff(props["storageEncrypted"])
        ? [unencrypted("Its storage isn't encrypted.", "storageEncrypted: true")]
        : [];
    case "aws:elasticache/replicationGroup:ReplicationGroup":
      return [
        ...(isOff(props["atRestEncryptionEnabled"])
          ? [unencrypted("What it keeps isn't encrypted.", "atRestEncryptionEnabled: true")]
          : []),
        ...(isOff(props["transitEncryptionEnabled"])
          ? [unencrypted("What it sends isn't encrypted.", "transitEncryptionEnabled: true")]
          : []),
      ];
    case "aws:elasticache/cluster:Cluster":
      return props["replicationGroupId"] === undefined
        ? [
            unencrypted(
              "A cache cluster of its own can't be encrypted at rest.",
              "a ReplicationGroup with numCacheClusters: 1",
            ),
          ]
        : [];
    default:
      return [];
  }
};

const unencrypted = (what: string, setting: string): Violation => ({
  what,
  why: "Whoever gets at the disk, a snapshot of it or the network reads everything; encryption costs nothing here and can't be added later without a copy.",
  fix: `Declare ${setting}.`,
});
