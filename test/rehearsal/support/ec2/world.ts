import * as ec2 from "@aws-sdk/client-ec2";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdoptableInstance, Aws, InstanceHost } from "../../../../rehearsal/aws/aws";
import { configureLive, makeAdopted } from "../../../../rehearsal/liveApps";
import { openSite, type Site } from "../../../../rehearsal/site";
import { RehearsedStack, type CallOptions } from "../../../../rehearsal/stack";
import { call, copyStandIn, onHost, progress, rootOf, succeeded, type Call } from "../world";

/** The live stack's apps on EC2. */
export const ec2Apps = ["shopifly", "catscan"] as const;
type Ec2App = (typeof ec2Apps)[number];

interface Told {
  readonly hosts: Readonly<Record<string, { readonly instanceId: string; readonly publicAddress: string }>>;
}

/** The live stack's EC2 apps, on AWS as it is on this machine: the committed stack file, endpoints and credentials swapped. */
export class Ec2World {
  private constructor(
    readonly site: Site,
    readonly aws: Aws,
    /** The instance that was there before. */
    readonly shopifly: AdoptableInstance,
    readonly stack: RehearsedStack,
    private readonly folder: string,
  ) {}

  /** Starts AWS and makes what is adopted; nothing is deployed yet. Closes what it opened if that fails. */
  static async open(apps: readonly Ec2App[] = ec2Apps): Promise<Ec2World> {
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
    const site = await openSite({ log: progress });
    const folder = mkdtempSync(join(tmpdir(), "homeport-ec2-"));
    try {
      const [aws, stack] = await Promise.all([
        site.aws(),
        RehearsedStack.open({ folder: join(folder, "stack"), stack: "prod", log: progress }),
      ]);
      const shopifly = await makeAdopted(aws, site.gateway);
      await configureLive(stack, { aws, shopifly, gateway: site.gateway });
      for (const app of apps) copyStandIn(app, join(folder, app));
      await stack.configure({
        "homeport:apps": { json: apps },
        ...Object.fromEntries(apps.map((app) => [`${app}:source`, join(folder, app)])),
      });
      return new Ec2World(site, aws, shopifly, stack, folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      await site.close();
      throw error;
    }
  }

  /** The folder that the stack keeps its state and configuration in. */
  get stackFolder(): string {
    return join(this.folder, "stack");
  }

  up(options: CallOptions = {}): Promise<Call> {
    return call(() => this.stack.up(options));
  }

  async mustUp(options: CallOptions = {}): Promise<Call> {
    return succeeded(await this.up(options));
  }

  /** Changes plain values of the stack, by path. */
  set(values: Readonly<Record<string, string>>): Promise<void> {
    return this.stack.configurePaths(values);
  }

  /** Gives an app another version: what `/version` answers. */
  setVersion(app: Ec2App, version: string): void {
    writeFileSync(join(this.folder, app, rootOf(app), "VERSION"), `${version}\n`);
  }

  /** The instance that the stack has made for a host, and its address. */
  async told(name: Ec2App): Promise<{ readonly instanceId: string; readonly publicAddress: string }> {
    const { ec2: target } = await this.stack.outputs<{ ec2: Told }>();
    const host = target.hosts[name];
    if (host === undefined) throw new Error(`The stack tells of no host "${name}".`);
    return host;
  }

  async url(name: Ec2App, path: string): Promise<string> {
    const { publicAddress } = await this.told(name);
    return `http://${publicAddress}:${name === "catscan" ? 8000 : 8501}${path}`;
  }

  async host(name: Ec2App): Promise<InstanceHost> {
    return this.aws.host((await this.told(name)).instanceId);
  }

  /** Runs a command as root on the machine behind a host. */
  async on(name: Ec2App, command: string): Promise<string> {
    return onHost(await this.host(name), command);
  }

  /** Options of a client of AWS's SDK. */
  client(region = "eu-central-1"): {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  } {
    const { endpoint, accessKeyId, secretAccessKey } = this.aws;
    return { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  }

  ec2(region?: string): ec2.EC2Client {
    return new ec2.EC2Client(this.client(region));
  }

  /** An instance as AWS tells of it. */
  async instance(name: Ec2App): Promise<ec2.Instance> {
    const { instanceId } = await this.told(name);
    const region = name === "shopifly" ? "us-east-1" : "eu-central-1";
    const found = await this.ec2(region).send(new ec2.DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const instance = found.Reservations?.[0]?.Instances?.[0];
    if (instance === undefined) throw new Error(`${instanceId} is not there.`);
    return instance;
  }

  async close(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await this.site.close();
  }
}

/** What a host sends by itself, each minute. */
const ofHosts = ["PutMetricData", "CreateLogStream", "PutLogEvents"];

/** Calls that change something at AWS, but for what the hosts report. */
export async function changingCalls(aws: Aws): Promise<string[]> {
  const reads = /^(Describe|Get|List|Head|Lookup|Check|Assume)|^(GET|HEAD) /;
  return (await aws.calls())
    .map(({ action }) => action)
    .filter((action) => !reads.test(action) && !ofHosts.includes(action));
}
