/* Opens a site with AWS, an instance with a volume and an address in it, says so, and waits to be killed. */
import * as ec2 from "@aws-sdk/client-ec2";
import { openSite } from "../../rehearsal/site";

async function own(folder: string): Promise<void> {
  const site = await openSite({ log: () => undefined, folder, id: "left" });
  const aws = await site.aws();
  const region = "us-east-1";
  const { name: InstanceId } = await aws.existingInstance({ id: "i-0123456789abcdef0", name: "left", region });
  const { endpoint, accessKeyId, secretAccessKey } = aws;
  const client = new ec2.EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  const volume = { AvailabilityZone: `${region}a`, Size: 1 };
  const { VolumeId } = await client.send(new ec2.CreateVolumeCommand(volume));
  await client.send(new ec2.AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdf" }));
  const { AllocationId } = await client.send(new ec2.AllocateAddressCommand({ Domain: "vpc" }));
  await client.send(new ec2.AssociateAddressCommand({ AllocationId, InstanceId }));
  console.log("ready");
  setInterval(() => undefined, 60_000);
}

own(process.argv[2] ?? "").catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
