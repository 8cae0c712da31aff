import * as ec2 from "@aws-sdk/client-ec2";
import * as ssm from "@aws-sdk/client-ssm";
import type { Aws } from "../../../rehearsal/site";

/** The region that the tests of AWS use, one that isn't the default. */
export const region = "eu-central-1";
export const debian = "/aws/service/debian/release/13/latest/amd64";

/** What a client of AWS's SDK is made with. It tries once, so that what goes wrong is seen. */
export const clientOptions = ({ endpoint, accessKeyId, secretAccessKey }: Aws) => ({
  endpoint,
  region,
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey },
});

/** The image that a public parameter names. */
export async function imageOf(aws: Aws, name: string): Promise<string> {
  const client = new ssm.SSMClient(clientOptions(aws));
  const { Parameter } = await client.send(new ssm.GetParameterCommand({ Name: name }));
  return Parameter?.Value ?? "";
}

/** Runs one small Debian instance, unless told otherwise, and returns its id. */
export async function launchIn(
  aws: Aws,
  client: ec2.EC2Client,
  wish: Partial<ec2.RunInstancesCommandInput> = {},
): Promise<string> {
  const made = await client.send(
    new ec2.RunInstancesCommand({
      ImageId: await imageOf(aws, debian),
      InstanceType: "t3.micro",
      MinCount: 1,
      MaxCount: 1,
      Placement: { AvailabilityZone: `${region}a` },
      ...wish,
    }),
  );
  return made.Instances?.[0]?.InstanceId ?? "";
}
