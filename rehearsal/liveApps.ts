import type { AdoptableInstance, Aws } from "./aws/aws";
import { makeExistingBuckets, onFly, onRailway, railwayRepository, standIns } from "./fiveApps";
import type { Rehearsed } from "./rehearsed";
import type { Docker, Fly, Host, Railway, Site } from "./site";
import type { RehearsedStack, RehearsedValue } from "./stack";
import { standIn } from "./standIn";

/** The live stack's archive that is there before the program. */
const liveArchive = "rtbcat-csv-archive-frankfurt-328614522524";
/** What the live stack's file says of the instance that it adopts. */
export const adopted = {
  id: "i-0f05fffd1aba8db0b",
  name: "shopifly",
  region: "us-east-1",
  zone: "us-east-1a",
  type: "t3.xlarge",
  keyName: "llama-7b",
  securityGroup: "sg-08dbaea71e02ae40f",
  rootSize: 150,
} as const;

/** What the live stack runs on in a rehearsal: AWS, Fly and Railway. */
export async function openLive(site: Site): Promise<Rehearsed> {
  const [aws, cloud, docker, railway] = await Promise.all([site.aws(), site.fly(), site.docker(), site.railway()]);
  const { gateway } = site;
  return {
    push: async () => {
      await railway.repository(railwayRepository, standIn("clausea"));
    },
    configure: async (stack) => {
      const shopifly = await makeAdopted(aws, gateway);
      await configureLive(stack, { aws, shopifly, fly: { cloud, docker }, railway, gateway });
    },
    places: async (stack) => ({
      hosts: await hostsOf(stack, aws),
      reach: {
        fly: ({ port }, { app = "" }) => cloud.url(app, port === "" ? 443 : Number(port)),
        railway: ({ hostname }) => railway.url(hostname),
      },
    }),
  };
}

/** The instances that apps are on, by the stack's names for them. */
async function hostsOf(stack: RehearsedStack, aws: Aws): Promise<Map<string, Pick<Host, "exec">>> {
  const { ec2 } = await stack.outputs<{ ec2?: { hosts: Record<string, { instanceId: string }> } }>();
  const hosts = new Map<string, Pick<Host, "exec">>();
  for (const [name, { instanceId }] of Object.entries(ec2?.hosts ?? {})) hosts.set(name, await aws.host(instanceId));
  return hosts;
}

/** The parts of what the live stack runs on. */
export interface LiveWorld {
  readonly aws: Aws;
  /** The instance that is adopted. */
  readonly shopifly: AdoptableInstance;
  /** Fly.io, and what builds the images that run there; left out where the stack has no app there. */
  readonly fly?: { readonly cloud: Fly; readonly docker: Docker };
  /** Left out where the stack has no app there. */
  readonly railway?: Railway;
  readonly gateway: string;
}

/** Makes what is there before the live stack in real life: the instance and the archive that it adopts. */
export async function makeAdopted(aws: Aws, gateway: string): Promise<AdoptableInstance> {
  await makeExistingBuckets({ ...aws, region: "eu-central-1" }, [liveArchive]);
  const from = [`${gateway}/32`];
  return aws.existingInstance({
    ...adopted,
    open: [22, 8501, 8080].map((port) => ({ port, from })),
  });
}

/** Gives the live stack, as it is committed, the endpoints and credentials of a rehearsal. */
export async function configureLive(stack: RehearsedStack, world: LiveWorld): Promise<void> {
  const { aws, shopifly, fly, railway, gateway } = world;
  await stack.configure({
    ...standIns(aws, gateway),
    ...(fly === undefined ? {} : onFly(fly.cloud, fly.docker)),
    ...(railway === undefined ? {} : onRailway(railway)),
    ...awsValues(aws),
    "ec2:privateKey": { secret: shopifly.privateKey },
  });
  await stack.configurePaths({
    "ec2:instances.shopifly.hostKey": shopifly.hostKey,
    "ec2:instances.shopifly.address": shopifly.address,
    "ec2:instances.shopifly.user": shopifly.user,
    "ec2:sshFrom[0]": `${gateway}/32`,
  });
}

/** What leads the aws provider, its drivers and the hosts to the emulator. */
export function awsValues(aws: Aws): Record<string, RehearsedValue> {
  const services = ["ec2", "iam", "s3", "rds", "elasticache", "sns", "cloudwatch", "cloudwatchlogs"];
  const more = ["dlm", "budgets", "scheduler", "ssm", "sts"];
  return {
    "aws:endpoints": { json: [Object.fromEntries([...services, ...more].map((name) => [name, aws.endpoint]))] },
    "aws:accessKey": aws.accessKeyId,
    "aws:secretKey": { secret: aws.secretAccessKey },
    "aws:skipCredentialsValidation": "true",
    "aws:s3UsePathStyle": "true",
  };
}
