import * as pulumi from "@pulumi/pulumi";
import type { Recorded } from "./mocks";

/** One question that the program asked of AWS. */
export interface Asked {
  readonly token: string;
  readonly inputs: Record<string, unknown>;
}

/** What a resource was registered with besides its inputs. */
export interface RegisteredOptions {
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly ignoreChanges: readonly string[];
  readonly secretOutputs: readonly string[];
}

export interface AwsMocks {
  readonly recorded: Recorded[];
  /** By type and name, `aws:ec2/instance:Instance main-instance`. */
  readonly options: Map<string, RegisteredOptions>;
  readonly asked: Asked[];
  /** Replaces answers by their function's name, `getInstance`; an error stands for AWS's refusal. */
  readonly answers: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown> | Error>;
}

/** The account that the mocked AWS belongs to. */
export const account = "123456789012";

/** The key that every mocked machine shows. */
export const mockedHostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMockedHostKeyMockedHostKeyMockedHostKeyM";

/** A stack key; the private half is a marker to look for. */
export const mockedKey = { publicKey: "ssh-ed25519 AAAAmade", privateKey: "marker-made-private-key" };

/** Sets Pulumi's mocks for a stack on AWS: resources get the outputs that AWS gives them, questions plausible answers. */
export async function mockAws(
  options: { readonly stack?: string; readonly preview?: boolean } = {},
): Promise<AwsMocks> {
  const mocks: AwsMocks = { recorded: [], options: new Map(), asked: [], answers: {} };
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => {
        const given = inputs as Record<string, unknown>;
        mocks.recorded.push({ type, name, inputs: given });
        const made = madeUp(type, name, given);
        const id = made["id"];
        return { id: typeof id === "string" ? id : `${name}-id`, state: { ...given, ...made } };
      },
      call: ({ token, inputs }: pulumi.runtime.MockCallArgs) => {
        const given = inputs as Record<string, unknown>;
        mocks.asked.push({ token, inputs: given });
        const name = token.split(":").at(-1) ?? "";
        const answer = mocks.answers[name]?.(given) ?? answers(name, given);
        // What a person is shown of a refused question is the status's details (gRPC), which the engine fills.
        if (answer instanceof Error) throw Object.assign(answer, { details: refusalOf(token, answer.message) });
        return answer;
      },
    },
    "homeport",
    options.stack ?? "prod",
    options.preview ?? false,
  );
  recordOptions(mocks.options);
  return mocks;
}

/** The requests that the SDK makes, as far as they matter here; `MockResourceArgs` leaves a resource's options out. */
interface Request {
  getType(): string;
  getName(): string;
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getIgnorechangesList(): string[];
  getAdditionalsecretoutputsList(): string[];
}
type Register = (request: Request, ...rest: unknown[]) => unknown;

function recordOptions(options: Map<string, RegisteredOptions>): void {
  const monitor = (pulumi.runtime as unknown as { getMonitor: () => { registerResource: Register } }).getMonitor();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, ...rest) => {
    options.set(`${request.getType()} ${request.getName()}`, {
      protect: request.getProtect(),
      retainOnDelete: request.getRetainondelete(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      ignoreChanges: request.getIgnorechangesList(),
      secretOutputs: request.getAdditionalsecretoutputsList(),
    });
    return register(request, ...rest);
  };
}

/** As the engine words what the provider's SDK has gathered. */
const refusalOf = (token: string, message: string): string =>
  `invocation of ${token} returned an error: invoking ${token}: 1 error occurred:\n\t* ${message}\n\n`;

/** Resources whose ids have a form of their own, as AWS gives them. */
const ids: Readonly<Record<string, string>> = {
  "aws:ec2/instance:Instance": "i-",
  "aws:ebs/volume:Volume": "vol-",
  "aws:ec2/securityGroup:SecurityGroup": "sg-",
  "aws:ec2/eip:Eip": "eipalloc-",
};

function madeUp(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const region = typeof inputs["region"] === "string" ? inputs["region"] : "us-east-1";
  const prefix = ids[type];
  if (prefix !== undefined) {
    const id = `${prefix}${name}`;
    return {
      id,
      arn: `arn:aws:ec2:${region}:${account}:${prefix}/${id}`,
      publicIp: "198.51.100.20",
      privateIp: "10.0.0.5",
    };
  }
  if (type === "random:index/randomPassword:RandomPassword") return { result: `generated-${name}` };
  if (type === "random:index/randomId:RandomId") return { hex: "0a1b2c3d" };
  if (type === "command:local:Command") return { stdout: stdoutOf(name, inputs), stderr: "" };
  if (type === "docker:index/image:Image")
    return { repoDigest: `registry.example.com/${name}@sha256:${"1".repeat(64)}` };
  const service = type.split(":")[1]?.split("/")[0] ?? "";
  const called = typeof inputs["name"] === "string" ? inputs["name"] : name;
  return {
    arn: `arn:aws:${service}:${region}:${account}:${called}`,
    name: called,
    address: `${name}.example.com`,
    primaryEndpointAddress: `${name}.example.com`,
  };
}

function stdoutOf(name: string, inputs: Record<string, unknown>): string {
  const create = typeof inputs["create"] === "string" ? inputs["create"] : "";
  if (create.includes(" ec2 key ")) return JSON.stringify(mockedKey);
  if (create.includes(" ec2 hostKey ")) return JSON.stringify({ instanceId: `i-${name}`, hostKey: mockedHostKey });
  return "{}";
}

function answers(name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const region = String(inputs["region"]);
  switch (name) {
    case "getVpc":
      return { id: `vpc-${region}` };
    case "getSubnets":
      return { ids: [`subnet-${region}`, `subnet-${region}-b`] };
    case "getSubnet":
      return {
        id: inputs["id"],
        vpcId: `vpc-${region}`,
        availabilityZone: `${region}${String(inputs["id"]).endsWith("-b") ? "b" : "a"}`,
      };
    case "getEips":
      return { publicIps: [] };
    case "getEbsVolumes":
      return { ids: [] };
    case "getVolume":
      return { size: 8 };
    case "getParameter":
      return { value: "ami-secret", insecureValue: `ami-of-${String(inputs["name"]).split("/").at(-1) ?? ""}` };
    case "getInstance":
      return {
        id: inputs["instanceId"],
        arn: `arn:aws:ec2:${region}:${account}:instance/${String(inputs["instanceId"])}`,
        instanceState: "running",
        instanceType: "t3.xlarge",
        publicIp: "54.197.8.56",
        privateIp: "10.0.0.9",
        subnetId: `subnet-${region}`,
        availabilityZone: `${region}a`,
        vpcSecurityGroupIds: ["sg-existing"],
        rootBlockDevices: [{ volumeId: "vol-0aaaaaaaaaaaaaaaa", tags: {} }],
        ebsBlockDevices: [],
      };
    default:
      throw new Error(`No mock answers ${name}.`);
  }
}
