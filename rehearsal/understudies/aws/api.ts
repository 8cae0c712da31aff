import type { Budgets } from "@aws-sdk/client-budgets";
import type { CloudWatch } from "@aws-sdk/client-cloudwatch";
import type { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import type { DLM } from "@aws-sdk/client-dlm";
import type { EC2 } from "@aws-sdk/client-ec2";
import type { ElastiCache } from "@aws-sdk/client-elasticache";
import type { IAM } from "@aws-sdk/client-iam";
import type { RDS } from "@aws-sdk/client-rds";
import type { S3 } from "@aws-sdk/client-s3";
import type { Scheduler } from "@aws-sdk/client-scheduler";
import type { SNS } from "@aws-sdk/client-sns";
import type { SSM } from "@aws-sdk/client-ssm";
import type { STS } from "@aws-sdk/client-sts";
import type { Connection } from "./connection";

/** The clients by service, each loaded when it is first used: loading all of them takes a second. */
const loaders = {
  budgets: async (options: ClientOptions): Promise<Budgets> =>
    new (await import("@aws-sdk/client-budgets")).Budgets(options),
  cloudwatch: async (options: ClientOptions): Promise<CloudWatch> =>
    new (await import("@aws-sdk/client-cloudwatch")).CloudWatch(options),
  logs: async (options: ClientOptions): Promise<CloudWatchLogs> =>
    new (await import("@aws-sdk/client-cloudwatch-logs")).CloudWatchLogs(options),
  dlm: async (options: ClientOptions): Promise<DLM> => new (await import("@aws-sdk/client-dlm")).DLM(options),
  ec2: async (options: ClientOptions): Promise<EC2> => new (await import("@aws-sdk/client-ec2")).EC2(options),
  elasticache: async (options: ClientOptions): Promise<ElastiCache> =>
    new (await import("@aws-sdk/client-elasticache")).ElastiCache(options),
  iam: async (options: ClientOptions): Promise<IAM> => new (await import("@aws-sdk/client-iam")).IAM(options),
  rds: async (options: ClientOptions): Promise<RDS> => new (await import("@aws-sdk/client-rds")).RDS(options),
  s3: async (options: ClientOptions): Promise<S3> => new (await import("@aws-sdk/client-s3")).S3(options),
  scheduler: async (options: ClientOptions): Promise<Scheduler> =>
    new (await import("@aws-sdk/client-scheduler")).Scheduler(options),
  sns: async (options: ClientOptions): Promise<SNS> => new (await import("@aws-sdk/client-sns")).SNS(options),
  ssm: async (options: ClientOptions): Promise<SSM> => new (await import("@aws-sdk/client-ssm")).SSM(options),
  sts: async (options: ClientOptions): Promise<STS> => new (await import("@aws-sdk/client-sts")).STS(options),
};

/** The other names that `aws:endpoints` has for a service. */
const aliases: Readonly<Record<string, string>> = {
  cloudwatchlogs: "logs",
  cloudwatchlog: "logs",
  budget: "budgets",
};

interface ClientOptions {
  readonly region: string;
  readonly maxAttempts: number;
  readonly retryMode: "standard";
  readonly credentials?: NonNullable<Connection["credentials"]>;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly forcePathStyle: boolean;
}

type Service = keyof typeof loaders;
type Client<N extends Service> = Awaited<ReturnType<(typeof loaders)[N]>>;

/** AWS in one region, as one step of the engine uses it. */
export interface Api {
  readonly region: string;
  /** Of the partition, such as `aws` or `aws-cn`. */
  readonly partition: string;
  /** The twelve digits of the account. */
  account(): Promise<string>;
  client<N extends Service>(service: N): Promise<Client<N>>;
  /** When the step's time is over, as of `Date.now()`. */
  readonly deadline: number;
  /** Set once the engine has asked to stop. */
  readonly signal: AbortSignal;
  /** Shows a line beside the resource while it is worked on. */
  readonly status: (line: string) => void;
}

/** The partition of a region (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** The clients of a connection: one for each service and region. */
export class Clients {
  private readonly clients = new Map<string, Promise<unknown>>();
  private known: Promise<string> | undefined;
  private readonly endpoints: Record<string, string>;

  constructor(private readonly connection: Connection) {
    this.endpoints = Object.fromEntries(
      Object.entries(connection.endpoints).map(([name, url]) => [aliases[name] ?? name, url]),
    );
  }

  /** The client of a service in a region. */
  client<N extends Service>(service: N, region: string): Promise<Client<N>> {
    const key = `${service} ${region}`;
    const { credentials, profile, attempts, pathStyle } = this.connection;
    const endpoint = this.endpoints[service];
    const made =
      this.clients.get(key) ??
      loaders[service]({
        region,
        maxAttempts: attempts,
        retryMode: "standard",
        forcePathStyle: pathStyle,
        ...(credentials === undefined ? {} : { credentials }),
        ...(profile === undefined ? {} : { profile }),
        ...(endpoint === undefined ? {} : { endpoint }),
      });
    this.clients.set(key, made);
    return made as Promise<Client<N>>;
  }

  /** AWS as a step uses it. */
  api(region: string, step: Pick<Api, "deadline" | "signal" | "status">): Api {
    return {
      ...step,
      region,
      partition: partitionOf(region),
      account: () => this.account(),
      client: (service) => this.client(service, region),
    };
  }

  private account(): Promise<string> {
    this.known ??= this.client("sts", this.connection.region)
      .then((sts) => sts.getCallerIdentity({}))
      .then(({ Account }) => Account ?? "");
    return this.known;
  }
}
