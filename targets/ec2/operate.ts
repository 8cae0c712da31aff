import type { StackConfig } from "../../components/settings";
import { ec2Client, explainEc2 } from "../../drivers/ec2/client";
import { DriverError } from "../../drivers/error";
import type { ObjectAccess } from "../../drivers/s3/objects";
import type { Finding, KnownArchive, Operations, PlacedApp } from "../operations";
import type { Host } from "../systemd/host";
import { SystemdOperations } from "../systemd/operations";
import { awsConnection, ec2Connection, endpointOf, type AwsConnection } from "./awsConfig";
import { checkPlace } from "./check";
import { instanceOf } from "./hosts";
import { movedTo } from "./moved";
import type { Ec2Outputs, HostOutputs } from "./opened";
import { setPath } from "./setPath";
import type { Ec2Settings } from "./settings";

/**
 * Day-two work on an app of an instance, which the stack's outputs tell of.
 * @throws DriverError where the stack was never deployed, or the app never to this instance
 */
export async function operateEc2(
  app: PlacedApp,
  settings: Ec2Settings,
  config: StackConfig,
  outputs: () => Promise<unknown>,
): Promise<Operations> {
  const name = instanceOf(app, settings);
  if (name === undefined) {
    const [problem] = checkPlace(app, settings);
    throw new DriverError({
      what: problem?.what ?? "The app has no instance.",
      where: problem?.where ?? `${app.declaration.name}:host`,
      why: problem?.why ?? "it can't be reached without one",
      fix: problem?.fix ?? "pulumi preview tells everything that lacks",
    });
  }
  const told = ((await outputs()) as Partial<Ec2Outputs> | undefined)?.hosts?.[name];
  if (told === undefined) {
    throw new DriverError({
      what: `The stack ${app.stack} knows no instance "${name}" yet.`,
      where: app.declaration.name,
      why: "it wasn't deployed since the instance was configured",
      fix: `pulumi up --stack ${app.stack}`,
    });
  }
  const pinned = settings.instances[name]?.address !== undefined;
  return new Ec2Operations(app, hostOf(name, told), { ...told, name, pinned }, awsConnection(config));
}

/** As the work on a deployed host needs it: the way there. What only a deploy sets is left as it is. */
function hostOf(name: string, { address, publicAddress, user, hostKey, privateKey }: HostOutputs): Host {
  return {
    name,
    connection: { address, port: 22, user, hostKey, ...(privateKey === undefined ? {} : { privateKey }) },
    publicAddress,
    sshFrom: [],
    firewall: false,
    acme: {},
  };
}

/** What the stack's outputs and its configuration say of an instance. */
interface ToldInstance extends HostOutputs {
  readonly name: string;
  /** Whether the stack's configuration names its address. */
  readonly pinned: boolean;
}

/** As on any systemd host; a look at the place begins with what AWS says of the instance. */
class Ec2Operations extends SystemdOperations {
  constructor(
    app: PlacedApp,
    host: Host,
    private readonly told: ToldInstance,
    private readonly aws: AwsConnection,
  ) {
    super(app, host);
  }

  /** By what `pulumi up` reaches AWS with: the host's role is the host's own. */
  archive({ bucket, region, endpoint }: KnownArchive): Promise<ObjectAccess> {
    const { profile, accessKey, secretKey, token } = this.aws;
    const own = endpoint === undefined ? endpointOf(this.aws, "s3") : { endpoint };
    return Promise.resolve({
      ...{ bucket, region: region ?? this.told.region, ...own },
      ...(profile === undefined ? {} : { profile }),
      ...(accessKey === undefined || secretKey === undefined
        ? {}
        : {
            key: {
              ...{ accessKeyId: accessKey, secretAccessKey: secretKey },
              ...(token === undefined ? {} : { sessionToken: token }),
            },
          }),
    });
  }

  override async examine(): Promise<readonly Finding[]> {
    const state = await instanceFinding(this.told, this.aws);
    // Of a machine that is off, a timeout of SSH would say nothing more.
    return state.level === "problem" ? [state] : [state, ...(await super.examine())];
  }
}

async function instanceFinding(told: ToldInstance, aws: AwsConnection): Promise<Finding> {
  const { instanceId, region } = told;
  try {
    const client = await ec2Client(ec2Connection(aws, region));
    const { DescribeInstancesCommand, DescribeInstanceStatusCommand } = await import("@aws-sdk/client-ec2");
    const { InstanceStatuses = [] } = await client.send(
      new DescribeInstanceStatusCommand({ InstanceIds: [instanceId], IncludeAllInstances: true }),
    );
    const [status] = InstanceStatuses;
    const state = stateFinding(
      instanceId,
      region,
      status?.InstanceState?.Name,
      [status?.SystemStatus?.Status, status?.InstanceStatus?.Status].filter((one) => one !== undefined),
    );
    if (state.level === "problem") return state;
    const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    return movedFinding(told, Reservations?.[0]?.Instances?.[0]?.PublicIpAddress) ?? state;
  } catch (error) {
    const explained = explainEc2(error, `${instanceId} in ${region}`);
    if (!(explained instanceof DriverError)) throw explained;
    const { what, where, why, fix } = explained.parts;
    // Without a look at AWS the host itself may still be looked at.
    return { level: "warning", what: `${what} (${where}: ${why})`, fix };
  }
}

/** Whether an instance is where the stack goes; SSH would tell of its key or of the network alone. */
export function movedFinding(told: ToldInstance, publicIp: string | undefined): Finding | undefined {
  const { name, instanceId, region, address, publicAddress, pinned } = told;
  const now = movedTo(publicAddress, publicIp);
  if (now === undefined) return undefined;
  return {
    // Session Manager finds it by its id.
    level: address === instanceId ? "warning" : "problem",
    what: `${instanceId} in ${region} is at ${now} by now, and the stack goes to ${publicAddress}`,
    fix: `${pinned ? `${setPath(name, "address", now)} && ` : ""}pulumi up; an Elastic IP would stay through stops and starts`,
  };
}

/** What AWS's word on an instance means. */
export function stateFinding(
  instanceId: string,
  region: string,
  state: string | undefined,
  checks: readonly string[],
): Finding {
  const where = `${instanceId} in ${region}`;
  if (state === undefined || state === "terminated" || state === "shutting-down") {
    return {
      level: "problem",
      what: `${where} is ${state ?? "gone"}`,
      fix: "pulumi refresh, then pulumi up makes a new one; the data's disk is another",
    };
  }
  if (state !== "running") {
    return {
      level: "problem",
      what: `${where} is ${state}`,
      fix: `aws ec2 start-instances --region ${region} --instance-ids ${instanceId}`,
    };
  }
  if (checks.includes("impaired")) {
    return {
      level: "warning",
      what: `${where} runs, and AWS's checks of it fail`,
      fix: `aws ec2 get-console-output --latest --output text --region ${region} --instance-id ${instanceId}; a stop and a start move it to other hardware`,
    };
  }
  return { level: "ok", what: `${where} runs` };
}
