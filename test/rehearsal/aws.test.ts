import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll, run } from "../../rehearsal/host/run";
import type { Aws, Site } from "../../rehearsal/site";
import { openSite } from "../../rehearsal/site";
import { clientOptions, launchIn, region } from "./support/aws";

describe("AWS on this machine", function () {
  this.timeout(300_000);
  const work = mkdtempSync(join(tmpdir(), "homeport-aws-"));
  const sites = join(work, "sites");
  let site: Site;
  let aws: Aws;
  let client: ec2.EC2Client;
  let keyFile: string;

  const log = (line: string): void => {
    if (process.env["HOMEPORT_TEST_LOG"] !== undefined) console.log(line);
  };
  before(async () => {
    site = await openSite({ log, folder: sites });
    const from = performance.now();
    aws = await site.aws();
    log(`aws answers after ${((performance.now() - from) / 1000).toFixed(1)} s`);
    client = new ec2.EC2Client(clientOptions(aws));
    keyFile = join(work, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", keyFile]);
    const PublicKeyMaterial = Buffer.from(readFileSync(`${keyFile}.pub`));
    await client.send(new ec2.ImportKeyPairCommand({ KeyName: "mine", PublicKeyMaterial }));
  });
  afterEach(function () {
    if (this.currentTest?.state === "failed") console.log(readFileSync(join(site.folder, "aws/relay.log"), "utf8"));
  });
  after(async () => {
    await site.close();
    rmSync(work, { recursive: true, force: true });
  });

  const group = async (ports: [number, string][]): Promise<string> => {
    const name = `group-${Math.random().toString(36).slice(2)}`;
    const made = await client.send(new ec2.CreateSecurityGroupCommand({ GroupName: name, Description: name }));
    const GroupId = made.GroupId ?? "";
    for (const [port, CidrIp] of ports) await allow(GroupId, port, CidrIp);
    return GroupId;
  };
  const allow = (GroupId: string, port: number, CidrIp: string) =>
    client.send(
      new ec2.AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: [{ IpProtocol: "tcp", FromPort: port, ToPort: port, IpRanges: [{ CidrIp }] }],
      }),
    );
  const launch = (wish: Partial<ec2.RunInstancesCommandInput> = {}): Promise<string> =>
    launchIn(aws, client, { KeyName: "mine", ...wish });
  const instanceOf = async (id: string): Promise<ec2.Instance> => {
    const said = await client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
    const instance = said.Reservations?.[0]?.Instances?.[0];
    assert.ok(instance);
    return instance;
  };
  const consoleOf = async (InstanceId: string): Promise<string> => {
    const said = await client.send(new ec2.GetConsoleOutputCommand({ InstanceId, Latest: true }));
    return Buffer.from(said.Output ?? "", "base64").toString();
  };
  const hostKeyOf = (id: string): Promise<string> =>
    poll(
      async () =>
        /BEGIN SSH HOST KEY KEYS-----\r\n(ssh-ed25519 \S+)[^]*END SSH HOST KEY KEYS/.exec(await consoleOf(id))?.[1],
      { timeoutMs: 60_000, everyMs: 200, failure: () => `no host key of ${id} on its console` },
    );
  const ssh = (address: string, user: string, hostKey: string, command: string) => {
    writeFileSync(join(work, "known"), `${address} ${hostKey}\n`);
    const safe = ["-o", `UserKnownHostsFile=${join(work, "known")}`, "-o", "StrictHostKeyChecking=yes"];
    const quick = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=3", "-o", "IdentitiesOnly=yes"];
    return run(["ssh", ...safe, ...quick, "-i", keyFile, `${user}@${address}`, command]);
  };

  it("boots a host for an instance, opened by its key pair, known by its console, ended with it", async () => {
    const open = await group([[22, `${site.gateway}/32`]]);
    const from = performance.now();
    const UserData = Buffer.from("#!/bin/sh\necho told >/run/told\n").toString("base64");
    const id = await launch({ SecurityGroupIds: [open], UserData });
    assert.equal(await consoleOf(id), "");
    const key = await hostKeyOf(id);
    log(`booted after ${((performance.now() - from) / 1000).toFixed(1)} s`);
    const { PrivateIpAddress = "" } = await instanceOf(id);
    const inside = await ssh(PrivateIpAddress, "admin", key, "sudo -n cat /run/told && hostname");
    assert.deepEqual([inside.code, inside.stdout], [0, `told\n${id}\n`], inside.stderr);
    assert.notEqual((await ssh(PrivateIpAddress, "root", key, "true")).code, 0);
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    assert.equal((await run(["ip", "netns", "list"])).stdout.includes(id), false);
    assert.notEqual((await ssh(PrivateIpAddress, "admin", key, "true")).code, 0);
  });

  it("lets in what the security groups say, from where they say, as soon as they say it", async () => {
    const open = await group([
      [22, `${site.gateway}/32`],
      [8000, "203.0.113.0/24"],
    ]);
    const id = await launch({ SecurityGroupIds: [open] });
    const host = await aws.host(id);
    await host.exec("systemd-run --quiet python3 -m http.server 8000 --directory /etc/ssh");
    const { PrivateIpAddress = "" } = await instanceOf(id);
    const get = (address: string, ms = 1000): Promise<number> =>
      fetch(`http://${address}:8000/ssh_config`, { signal: AbortSignal.timeout(ms) }).then(
        (response) => response.status,
        () => 0,
      );
    assert.equal(await get(PrivateIpAddress), 0);
    await allow(open, 8000, `${site.gateway}/32`);
    await poll(async () => ((await get(PrivateIpAddress)) === 200 ? true : undefined), {
      timeoutMs: 5_000,
      failure: () => "port 8000 isn't open",
    });

    const { AllocationId = "", PublicIp = "" } = await client.send(new ec2.AllocateAddressCommand({ Domain: "vpc" }));
    assert.equal(await get(PublicIp), 0);
    const { AssociationId } = await client.send(new ec2.AssociateAddressCommand({ AllocationId, InstanceId: id }));
    assert.equal(await get(PublicIp), 200);
    assert.equal((await ssh(PublicIp, "admin", await hostKeyOf(id), "true")).code, 0);
    assert.equal((await instanceOf(id)).PublicIpAddress, PublicIp);
    const other = await aws.host(await launch({ SecurityGroupIds: [open] }));
    assert.notEqual((await other.exec(`curl -sm 1 http://${PublicIp}:8000/`)).code, 0);
    await client.send(new ec2.DisassociateAddressCommand({ AssociationId }));
    assert.equal(await get(PublicIp), 0);
    await client.send(new ec2.AssociateAddressCommand({ AllocationId, InstanceId: other.name }));
    assert.equal((await ssh(PublicIp, "admin", await hostKeyOf(other.name), "hostname")).stdout, `${other.name}\n`);
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id, other.name] }));
    const { Addresses } = await client.send(new ec2.DescribeAddressesCommand({ AllocationIds: [AllocationId] }));
    assert.equal(Addresses?.[0]?.InstanceId ?? "", "");
    await client.send(new ec2.ReleaseAddressCommand({ AllocationId }));
  });

  it("lets in the members of a group, and who they are may change", async () => {
    const [clients, servers] = [await group([]), await group([])];
    const from = { UserIdGroupPairs: [{ GroupId: clients }], IpProtocol: "tcp", FromPort: 22, ToPort: 22 };
    await client.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId: servers, IpPermissions: [from] }));
    const ids = await Promise.all([clients, servers].map((one) => launch({ SecurityGroupIds: [one] })));
    const [asker, server] = await Promise.all(ids.map((id) => aws.host(id)));
    assert.ok(asker !== undefined && server !== undefined);
    const asks = async (): Promise<boolean> => {
      const greeting = `exec 3<>/dev/tcp/${server.address}/22 && head -c 7 <&3`;
      return (await asker.exec(`timeout 1 bash -c '${greeting}'`)).stdout === "SSH-2.0";
    };
    assert.equal(await asks(), true);
    const groups = (Groups: string[]) => ({ InstanceId: asker.name, Groups });
    await client.send(new ec2.ModifyInstanceAttributeCommand(groups([servers])));
    assert.equal(await asks(), false);
    const NetworkInterfaceId = (await instanceOf(asker.name)).NetworkInterfaces?.[0]?.NetworkInterfaceId;
    await client.send(new ec2.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Groups: [clients] }));
    assert.equal(await asks(), true);
    assert.equal((await instanceOf(asker.name)).SecurityGroups?.[0]?.GroupId, clients);
    const every = { GroupId: servers, IpPermissions: [from] };
    await client.send(new ec2.RevokeSecurityGroupIngressCommand(every));
    assert.equal(await asks(), false);
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: ids }));
  });

  it("attaches volumes to running hosts, lets them grow, and keeps what is on them past the instance", async () => {
    const first = await launch();
    const host = await aws.host(first);
    const { VolumeId = "" } = await client.send(
      new ec2.CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 2, VolumeType: "gp3", Encrypted: true }),
    );
    const attach = (InstanceId: string) =>
      client.send(new ec2.AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdf" }));
    const stateOf = async (): Promise<string | undefined> =>
      (await client.send(new ec2.DescribeVolumesCommand({ VolumeIds: [VolumeId] }))).Volumes?.[0]?.State;
    const path = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VolumeId.replace("-", "")}`;
    const at = async (where: typeof host, command: string): Promise<string> => {
      const said = await where.exec(command);
      assert.equal(said.code, 0, said.stderr);
      return said.stdout.trim();
    };
    await attach(first);
    await assert.rejects(attach(first), { name: "VolumeInUse" });
    await assert.rejects(client.send(new ec2.DeleteVolumeCommand({ VolumeId })), { name: "VolumeInUse" });
    assert.equal(await at(host, `blockdev --getsize64 ${path}`), String(2 * 2 ** 30));
    // The hosts' root has no mkfs; the device is this machine's as well.
    const file = join(site.folder, "aws/volumes", VolumeId);
    const device = execFileSync("losetup", ["--noheadings", "--output", "NAME", "--associated", file])
      .toString()
      .trim();
    execFileSync("mkfs.ext4", ["-q", device]);
    await at(host, `mount ${path} /mnt && echo kept >/mnt/file`);
    await client.send(new ec2.ModifyVolumeCommand({ VolumeId, Size: 3 }));
    assert.equal(await at(host, `blockdev --getsize64 ${path}`), String(3 * 2 ** 30));
    await assert.rejects(client.send(new ec2.ModifyVolumeCommand({ VolumeId, Size: 1 })), /smaller/);

    await client.send(new ec2.RebootInstancesCommand({ InstanceIds: [first] }));
    await aws.host(first);
    assert.equal(await at(host, `mount ${path} /mnt && cat /mnt/file`), "kept");

    await client.send(new ec2.DetachVolumeCommand({ VolumeId }));
    assert.equal(await stateOf(), "in-use", "it is mounted");
    await at(host, "umount /mnt");
    await poll(async () => ((await stateOf()) === "available" ? true : undefined), {
      timeoutMs: 20_000,
      failure: () => "it stays attached",
    });
    await poll(async () => ((await host.exec(`test -e ${path}`)).code === 1 ? true : undefined), {
      timeoutMs: 5_000,
      failure: () => "the host keeps it",
    });
    const { SnapshotId = "" } = await client.send(new ec2.CreateSnapshotCommand({ VolumeId }));
    await attach(first);
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [first] }));
    assert.equal(await stateOf(), "available");

    const second = await launch();
    await attach(second);
    const heir = await aws.host(second);
    assert.equal(await at(heir, `mount ${path} /mnt && cat /mnt/file && rm /mnt/file && umount /mnt`), "kept");
    const old = await client.send(new ec2.CreateVolumeCommand({ AvailabilityZone: `${region}a`, SnapshotId }));
    await client.send(new ec2.AttachVolumeCommand({ VolumeId: old.VolumeId, InstanceId: second, Device: "/dev/sdg" }));
    const oldPath = path.replace(VolumeId.replace("-", ""), (old.VolumeId ?? "").replace("-", ""));
    assert.equal(await at(heir, `mount ${oldPath} /mnt && cat /mnt/file`), "kept");
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [second] }));
    await client.send(new ec2.DeleteVolumeCommand({ VolumeId }));
    await assert.rejects(stateOf(), { name: "InvalidVolume.NotFound" });
  });

  it("stops and starts hosts with their disks and addresses, and protects those that are protected", async () => {
    const open = await group([[22, "0.0.0.0/0"]]);
    const id = await launch({ SecurityGroupIds: [open], DisableApiTermination: true });
    const host = await aws.host(id);
    const key = await hostKeyOf(id);
    await host.exec("echo kept >/var/file");
    const { AllocationId = "", PublicIp = "" } = await client.send(new ec2.AllocateAddressCommand({ Domain: "vpc" }));
    await client.send(new ec2.AssociateAddressCommand({ AllocationId, InstanceId: id }));
    const InstanceIds = [id];
    const type = { InstanceId: id, InstanceType: { Value: "t3.small" } };
    await assert.rejects(client.send(new ec2.ModifyInstanceAttributeCommand(type)), { name: "IncorrectInstanceState" });
    await client.send(new ec2.StopInstancesCommand({ InstanceIds }));
    assert.equal((await instanceOf(id)).State?.Name, "stopped");
    assert.notEqual((await ssh(PublicIp, "admin", key, "true")).code, 0);
    await client.send(new ec2.ModifyInstanceAttributeCommand(type));
    await client.send(new ec2.StartInstancesCommand({ InstanceIds }));
    await aws.host(id);
    const kept = await ssh(PublicIp, "admin", key, "cat /var/file");
    assert.equal(kept.stdout, "kept\n", kept.stderr);
    const end = () => client.send(new ec2.TerminateInstancesCommand({ InstanceIds }));
    await assert.rejects(end(), { name: "OperationNotPermitted" });
    assert.equal((await ssh(PublicIp, "admin", key, "true")).code, 0);
    const free = { InstanceId: id, DisableApiTermination: { Value: false } };
    await client.send(new ec2.ModifyInstanceAttributeCommand(free));
    await end();
    await client.send(new ec2.ReleaseAddressCommand({ AllocationId }));
  });

  it("tells hosts who they are and gives them their role's credentials, by IMDSv2 alone", async () => {
    const admin = new iam.IAMClient(clientOptions(aws));
    const trust = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
    await admin.send(new iam.CreateRoleCommand({ RoleName: "hostly", AssumeRolePolicyDocument }));
    await admin.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: "hostly" }));
    await admin.send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName: "hostly", RoleName: "hostly" }));
    const id = await launch({ IamInstanceProfile: { Name: "hostly" }, MetadataOptions: { HttpTokens: "required" } });
    const host = await aws.host(id);
    const said = async (command: string): Promise<string> => (await host.exec(command)).stdout.trim();
    const base = "http://169.254.169.254/latest";
    assert.equal(await said(`curl -s -o /dev/null -w '%{http_code}' ${base}/meta-data/instance-id`), "401");
    const ask = (path: string): string =>
      `t=$(curl -s -X PUT ${base}/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'); curl -sf ${base}/${path} -H "X-aws-ec2-metadata-token: $t"`;
    assert.equal(await said(ask("meta-data/instance-id")), id);
    assert.equal(await said(ask("meta-data/placement/region")), region);
    assert.equal(await said(ask("meta-data/iam/security-credentials/")), "hostly");
    // The AWS CLI finds them by itself.
    const who = await said(`aws sts get-caller-identity --endpoint-url ${aws.endpoint} --region ${region} --query Arn`);
    assert.equal(who, `"arn:aws:sts::123456789012:assumed-role/hostly/${id}"`);
    // A container's packets take a hop more than the one that is allowed.
    const container =
      "ip netns add box && ip link add b0 type veth peer name b1 netns box && ip addr add 10.9.9.1/24 dev b0 && ip link set b0 up && ip -n box addr add 10.9.9.2/24 dev b1 && ip -n box link set b1 up && ip -n box route add default via 10.9.9.1 && nft add table ip box && nft 'add chain ip box p { type nat hook postrouting priority 100; }' && nft add rule ip box p ip saddr 10.9.9.0/24 masquerade && echo 1 >/proc/sys/net/ipv4/ip_forward";
    const boxed = await host.exec(container);
    assert.equal(boxed.code, 0, boxed.stderr);
    const fromBox = `ip netns exec box curl -s -m 2 -o /dev/null -w '%{http_code}'`;
    assert.equal(await said(`${fromBox} ${base}/meta-data/instance-id`), "000");
    assert.notEqual(await said(`${fromBox} ${aws.endpoint}/`), "000");
    const bare = await aws.host(await launch());
    assert.equal((await bare.exec(ask("meta-data/iam/security-credentials/"))).stdout, "");
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id, bare.name] }));
  });

  it("has an instance of a given id before the program comes", async () => {
    const id = "i-0f05fffd1aba8db0b";
    const wish = {
      ...{ id, name: "shopifly", region: "us-east-1", zone: "us-east-1a", type: "t3.xlarge", keyName: "llama-7b" },
      ...{ securityGroup: "sg-08dbaea71e02ae40f", rootSize: 150 },
    };
    const there = await aws.existingInstance(wish);
    const east = new ec2.EC2Client({ ...clientOptions(aws), region: "us-east-1" });
    const said = await east.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
    const instance = said.Reservations?.[0]?.Instances?.[0];
    assert.deepEqual(
      [instance?.KeyName, instance?.InstanceType, instance?.Placement?.AvailabilityZone, instance?.State?.Name],
      ["llama-7b", "t3.xlarge", "us-east-1a", "running"],
    );
    assert.equal(instance?.SecurityGroups?.[0]?.GroupId, "sg-08dbaea71e02ae40f");
    assert.equal(instance.PrivateIpAddress, there.address);
    assert.equal(there.user, "ec2-user");
    writeFileSync(join(work, "adopted"), there.privateKey, { mode: 0o600 });
    const own = keyFile;
    keyFile = join(work, "adopted");
    const inside = await ssh(there.address, there.user, there.hostKey, "sudo -n id -u").finally(() => {
      keyFile = own;
    });
    assert.equal(inside.stdout, "0\n", inside.stderr);
    await east.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
  });
});
