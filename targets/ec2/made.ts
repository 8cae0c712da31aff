import { ComponentResource } from "@pulumi/pulumi";
import { Size } from "../../components/values/size";
import type { WatchedDisk } from "./alarms";
import { archiveOnS3 } from "./archive";
import { deployerOf, endpointOf } from "./awsConfig";
import { connect } from "./connect";
import { managedServers } from "./databases";
import { dataSize, diskAlarmOf, rootSize, tagsOf, usesManaged, type Ec2Host } from "./hosts";
import { hostRole } from "./identity";
import { elasticIp, findImage, newInstance } from "./instance";
import { hostKeyOf } from "./keys";
import { logGroupsOf, monitoringOf } from "./monitoring";
import { databaseSubnets, findNetwork, securityGroup } from "./network";
import { metricsOf, type OpenedHost, type Shared } from "./opened";
import { stopAndStart } from "./schedule";
import { setPath } from "./setPath";
import { dataVolume, presentSize } from "./volumes";
import { watchHost } from "./watching";

/** A host that the stack makes: role, security group, machine, disk and address. */
export async function makeHost(host: Ec2Host, shared: Shared): Promise<OpenedHost> {
  const { name, stack, region, live, session, type } = host;
  const { settings, aws } = shared;
  const [network, image, present] = await Promise.all([findNetwork(host), findImage(host), presentSize(host)]);
  const subnetIds = usesManaged(host, settings) ? await databaseSubnets(host, network.vpcId, settings) : [];

  const parent = new ComponentResource("homeport:ec2:Host", name, {}, { parent: shared.parent });
  const groups = logGroupsOf(parent, host, settings);
  const namespace = metricsOf(stack);
  const logGroupArns = Object.values(groups).map(({ arn }) => arn);
  const topicArn = shared.topicIn(region);
  const tags = tagsOf(stack, name);
  const role = hostRole(parent, { name, region, stack, logGroupArns, namespace, topicArn, session, tags });
  const securityGroupId = securityGroup(parent, host, network.vpcId);
  const keyName = host.settings.keyName ?? settings.keyName;
  const instance = newInstance(parent, host, {
    image,
    network,
    securityGroupId,
    keyName: keyName ?? shared.key.nameIn(region),
    profileName: role.profileName,
  });
  const { dataDisk, mount } = dataVolume(parent, host, {
    zone: network.zone,
    instanceId: instance.id,
    present,
  });
  const monitoring = monitoringOf(host, aws, instance.id, groups, role, topicArn);
  watchHost(parent, {
    name,
    region,
    stack,
    instanceId: instance.id,
    burstable: type?.burstable ?? false,
    namespace,
    disks: disksOf(host, mount, present),
    diskAlarm: diskAlarmOf(host),
    topicArn,
  });
  stopAndStart(parent, host, { instanceId: instance.id, instanceArn: instance.arn });
  const address = elasticIp(parent, host, instance.id);
  const machine = { instanceId: instance.id, instanceType: instance.instanceType, address };
  const { host: ready, outputs } = connect(host, settings, {
    instanceId: instance.id,
    publicAddress: address,
    hostKey: hostKeyOf(parent, host, machine, aws),
    privateKey: keyName === undefined ? shared.key.privateKey : settings.privateKey,
    dataDisk,
    // With the instance's id, which is told once its disk has been changed.
    rootGib: instance.id.apply(() => rootSize(host).toGib()),
    monitoring,
  });
  return {
    outputs,
    place: {
      name: host.name,
      host: ready,
      bucket: archiveOnS3({ region, role, live, ...endpointOf(aws, "s3"), ...deployerOf(aws) }),
      server: managedServers({ region, vpcId: network.vpcId, subnetIds, hostGroupId: securityGroupId, settings, live }),
    },
  };
}

/** The disks that a host's alarms look at, each with what gives it more room. */
function disksOf(host: Ec2Host, mount: string, present = Size.gib(0)): WatchedDisk[] {
  const { name, region, settings } = host;
  const larger = (field: "rootSize" | "dataSize", size: Size): string =>
    `${setPath(name, field, `'${Size.gib(size.toGib() * 2).toString()}'`)}, then pulumi up`;
  const data = present.compare(dataSize(host)) < 0 ? dataSize(host) : present;
  return [
    { path: "/", growth: larger("rootSize", rootSize(host)) },
    {
      path: mount,
      growth:
        settings.volume === undefined
          ? larger("dataSize", data)
          : `aws ec2 modify-volume --region ${region} --volume-id ${settings.volume} --size GIB, then on the host: ` +
            "sudo /usr/local/lib/homeport/data-disk mount",
    },
  ];
}
