import { ComponentResource } from "@pulumi/pulumi";
import { archiveOnS3 } from "./archive";
import { deployerOf, endpointOf } from "./awsConfig";
import { connect } from "./connect";
import { managedServers } from "./databases";
import { diskAlarmOf, tagsOf, usesManaged, type Ec2Host } from "./hosts";
import { hostRole } from "./identity";
import { elasticIp, findImage, newInstance } from "./instance";
import { hostKeyOf } from "./keys";
import { logGroupsOf, monitoringOf } from "./monitoring";
import { defaultSubnets, findNetwork, securityGroup } from "./network";
import { metricsOf, type OpenedHost, type Shared } from "./opened";
import { stopAndStart } from "./schedule";
import { dataVolume, presentSize } from "./volumes";
import { watchHost } from "./watching";

/** A host that the stack makes: role, security group, machine, disk and address. */
export async function makeHost(host: Ec2Host, shared: Shared): Promise<OpenedHost> {
  const { name, stack, region, live, session, type } = host;
  const { settings, aws } = shared;
  const [network, image, present] = await Promise.all([findNetwork(host), findImage(host), presentSize(host)]);
  const subnetIds = usesManaged(host, settings) ? await defaultSubnets(host, network.vpcId) : [];

  const parent = new ComponentResource("homeport:ec2:Host", name, {}, { parent: shared.parent });
  const groups = logGroupsOf(parent, host, settings);
  const namespace = metricsOf(stack);
  const logGroupArns = Object.values(groups).map(({ arn }) => arn);
  const role = hostRole(parent, { name, region, stack, logGroupArns, namespace, session, tags: tagsOf(stack, name) });
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
  const monitoring = monitoringOf(host, aws, instance.id, groups, role);
  watchHost(parent, {
    name,
    region,
    stack,
    instanceId: instance.id,
    burstable: type?.burstable ?? false,
    namespace,
    disks: ["/", mount],
    diskAlarm: diskAlarmOf(host),
    topicArn: shared.topicIn(region),
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
