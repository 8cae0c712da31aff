import { getEips } from "@pulumi/aws/ec2/getEips";
import { getInstance, type GetInstanceResult } from "@pulumi/aws/ec2/getInstance";
import { getSubnet } from "@pulumi/aws/ec2/getSubnet";
import { ComponentResource, log } from "@pulumi/pulumi";
import { setCommand } from "../../components/settings";
import { archiveOnS3, type ArchiveArgs } from "./archive";
import { ask, refusal } from "./ask";
import { deployerOf, endpointOf } from "./awsConfig";
import { connect } from "./connect";
import { managedServers, type ManagedArgs } from "./databases";
import { diskAlarmOf, tagsOf, usesManaged, type Ec2Host } from "./hosts";
import { hostRole, type HostRole } from "./identity";
import { parseInstanceType } from "./instanceType";
import { logGroupsOf, monitoringOf } from "./monitoring";
import { movedTo } from "./moved";
import { databaseSubnets, openIn } from "./network";
import { metricsOf, type OpenedHost, type Shared } from "./opened";
import { stopAndStart } from "./schedule";
import { removePath, setPath } from "./setPath";
import type { Ec2Settings } from "./settings";
import { snapshotTag } from "./snapshots";
import { watchHost } from "./watching";

/**
 * A host on an instance that exists. It is looked up and nothing more: no resource of ours is the instance, its disks, its
 * groups or its profile, so that nothing of ours can replace, restart or end it.
 */
export async function adoptHost(host: Ec2Host, shared: Shared): Promise<OpenedHost> {
  const { name, stack, region, live, settings: own } = host;
  const { settings, aws } = shared;
  const found = await findInstance(host);
  tellUnsaved(host, shared, found);
  tellUnheard(host, shared);
  await tellWandering(host, found);
  const server = usesManaged(host, settings)
    ? { server: managedServers({ ...(await surroundings(host, found, settings)), region, settings, live }) }
    : {};

  const parent = new ComponentResource("homeport:ec2:Host", name, {}, { parent: shared.parent });
  if (own.openIn !== undefined) openIn(parent, host, own.openIn);
  const groups = own.role === undefined ? {} : logGroupsOf(parent, host, settings);
  const namespace = metricsOf(stack);
  const topicArn = shared.topicIn(region);
  const role =
    own.role === undefined
      ? undefined
      : hostRole(parent, {
          name,
          region,
          stack,
          logGroupArns: Object.values(groups).map(({ arn }) => arn),
          namespace,
          topicArn,
          session: false,
          tags: tagsOf(stack, name),
          existing: own.role,
        });
  watchHost(parent, {
    name,
    region,
    stack,
    instanceId: found.id,
    burstable: parseInstanceType(found.instanceType).burstable,
    namespace,
    // Without a role, the host can't tell CloudWatch of its disks; it raises its own alarm as elsewhere.
    disks: role === undefined ? [] : [{ path: "/", growth: growthOf(region, found) }],
    diskAlarm: diskAlarmOf(host),
    restart: false,
    topicArn,
  });
  stopAndStart(parent, host, { instanceId: found.id, instanceArn: found.arn });
  const { host: ready, outputs } = connect(host, settings, {
    instanceId: found.id,
    publicAddress: addressOf(host, found),
    hostKey: own.hostKey ?? "",
    privateKey: settings.privateKey,
    ...(role === undefined ? {} : { monitoring: monitoringOf(host, aws, found.id, groups, role, topicArn) }),
  });
  return {
    outputs,
    place: {
      name: host.name,
      host: ready,
      bucket: (component, app, bucket) =>
        archiveOnS3({
          ...archiveAccess(role, app),
          region,
          live,
          ...endpointOf(aws, "s3"),
          ...deployerOf(aws),
        })(component, app, bucket),
      ...server,
    },
  };
}

async function findInstance({ name, region, settings }: Ec2Host): Promise<GetInstanceResult> {
  const instanceId = settings.id ?? "";
  const where = `ec2:instances.${name}.id`;
  const found = await ask(
    getInstance({ instanceId, region }),
    where,
    `The instance ${instanceId} can't be looked up in ${region}.`,
    `aws ec2 describe-instances --region ${region} --instance-ids ${instanceId} shows whether it is there; ` +
      `where it is in another region: ${setPath(name, "region", "REGION")}`,
  );
  if (found.instanceState === "terminated" || found.instanceState === "shutting-down") {
    throw refusal({
      where,
      what: `The instance ${instanceId} is ${found.instanceState}.`,
      why: "an instance that was ended doesn't come back",
      fix: `name another one, or a new one: pulumi config rm --path ${where}`,
    });
  }
  if (found.instanceState !== "running") {
    await log.warn(
      `${where}: The instance ${instanceId} is ${found.instanceState}, so its apps can't be deployed: ` +
        `aws ec2 start-instances --region ${region} --instance-ids ${instanceId}`,
    );
  }
  return found;
}

function addressOf({ name, region, session, settings }: Ec2Host, found: GetInstanceResult): string {
  if (settings.address !== undefined) return presentAddress(name, settings.address, found);
  if (found.publicIp !== "") return found.publicIp;
  if (session) return found.privateIp;
  throw refusal({
    where: `ec2:instances.${name}.address`,
    what: `The instance ${found.id} has no public address at the moment.`,
    why: "it is stopped, or in a private subnet",
    fix:
      `aws ec2 start-instances --region ${region} --instance-ids ${found.id}, ` +
      `or the address that you reach it at: ${setPath(name, "address", "ADDRESS")}`,
  });
}

/** Of what the stack says, which may be from before a stop and a start. */
function presentAddress(name: string, address: string, { id, publicIp }: GetInstanceResult): string {
  const now = movedTo(address, publicIp);
  if (now === undefined) return address;
  throw refusal({
    where: `ec2:instances.${name}.address`,
    what: `The instance ${id} is at ${now} by now, and the stack goes to ${address}.`,
    why: "without an Elastic IP it gets another address at each start, and the one before is somebody else's",
    fix:
      `${setPath(name, "address", now)}, or to go by what AWS says each time: ${removePath(name, "address")}; ` +
      `where ${address} leads there by a gateway, name it by a host name`,
  });
}

/** A schedule moves an instance that has no address of its own; the question is AWS's to answer, and no deploy depends on it. */
async function tellWandering({ name, region, settings }: Ec2Host, { id }: GetInstanceResult): Promise<void> {
  if (settings.schedule === undefined) return;
  const filters = [{ name: "instance-id", values: [id] }];
  const elastic = await getEips({ region, filters }).then(
    ({ publicIps }) => publicIps,
    () => undefined,
  );
  if (elastic?.length !== 0) return;
  await log.warn(
    `ec2:instances.${name}.schedule: The adopted instance ${id} has no Elastic IP, so it is at another address after each start, ` +
      "and its apps, status and logs are sought at the one before until the next pulumi up. For one that stays: " +
      `aws ec2 associate-address --region ${region} --instance-id ${id} --allocation-id "$(aws ec2 allocate-address ` +
      `--region ${region} --query AllocationId --output text)"`,
  );
}

/** Its disk isn't ours to grow. */
function growthOf(region: string, { rootBlockDevices: [root] }: GetInstanceResult): string {
  return (
    `aws ec2 modify-volume --region ${region} --volume-id ${root?.volumeId ?? "VOLUME"} --size GIB, then on the host: ` +
    "sudo growpart DISK 1 (lsblk names the disk), and sudo xfs_growfs / or, of ext4, sudo resize2fs of its partition"
  );
}

/** Its disks aren't ours to mark, so a person is told how to have them saved. */
function tellUnsaved({ name, region, stack }: Ec2Host, { settings }: Shared, found: GetInstanceResult): void {
  if (settings.snapshots === "none") return;
  const [[key, value] = ["", ""]] = Object.entries(snapshotTag(stack));
  const unsaved = [...found.rootBlockDevices, ...found.ebsBlockDevices]
    .filter(({ tags }) => (tags as Record<string, string> | undefined)?.[key] !== value)
    .map(({ volumeId }) => volumeId);
  if (unsaved.length === 0) return;
  void log.warn(
    `ec2:instances.${name}: The daily snapshots leave out ${unsaved.join(" and ")} of the adopted instance. To save them: ` +
      `aws ec2 create-tags --region ${region} --resources ${unsaved.join(" ")} --tags Key=${key},Value=${value}; ` +
      "to have none at all: pulumi config set ec2:snapshots none",
  );
}

/** What the host itself finds wrong reaches nobody where it may not publish it; AWS's alarms alone would look like enough. */
function tellUnheard({ name, apps, settings: own }: Ec2Host, { settings }: Shared): void {
  const posted = apps.every(({ stackSettings }) => stackSettings.alertWebhook !== undefined);
  if (settings.alarmEmails.length === 0 || own.role !== undefined || posted) return;
  void log.warn(
    `ec2:instances.${name}: Nobody of ec2:alarmEmails is written to of failed jobs, health checks and backups on the adopted ` +
      `instance, as it has no right to send anything: ${setPath(name, "role", "ROLE")} with the role of its instance profile, ` +
      `or ${setCommand("homeport:alertWebhook", true)}`,
  );
}

async function surroundings(
  host: Ec2Host,
  found: GetInstanceResult,
  settings: Ec2Settings,
): Promise<Pick<ManagedArgs, "vpcId" | "subnetIds" | "hostGroupId">> {
  const { vpcId } = await ask(
    getSubnet({ id: found.subnetId, region: host.region }),
    `ec2:instances.${host.name}`,
    `The subnet ${found.subnetId} can't be looked up.`,
    "see whether `aws sts get-caller-identity` works here, and that it may describe networks",
  );
  const [group] = found.vpcSecurityGroupIds;
  return {
    vpcId,
    subnetIds: await databaseSubnets(host, vpcId, settings),
    hostGroupId: host.settings.openIn ?? group ?? "",
  };
}

type App = Parameters<ReturnType<typeof archiveOnS3>>[1];

/** By the role that was named, else by the key that `checkAdopted` asks for. */
function archiveAccess(role: HostRole | undefined, app: App): Pick<ArchiveArgs, "role" | "key"> {
  if (role !== undefined) return { role };
  const { objectStore } = app.stackSettings;
  return {
    key: {
      accessKeyId: app.settings.accessKeyId ?? objectStore.accessKeyId ?? "",
      secretAccessKey: app.settings.secretAccessKey ?? objectStore.secretAccessKey ?? "",
    },
  };
}
