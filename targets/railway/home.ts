import * as command from "@pulumi/command";
import { all, output, secret, type ComponentResource, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket, Database, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { driverCommand } from "../../drivers/command";
import { archiveByKey } from "../systemd/archiveByKey";
import type { MadeBucket } from "../systemd/values";
import type { BucketOutputs, Home, HomeOutputs, ServiceOutputs } from "../target";
import { buildPlan } from "./buildPlan";
import { environmentOf, projectOf } from "./names";
import type { RailwayResult } from "./plan";
import type { RailwaySettings } from "./settings";
import { describeChange } from "./summary";
import { bucketToken, isPublic } from "./values";

/** An app's place on Railway: passwords and archives of its own, then one command that deploys the rest. */
export class RailwayHome implements Home {
  private readonly passwords: Record<string, Output<string>> = {};
  private readonly buckets: Record<string, Output<MadeBucket>> = {};
  private tellResult: (result: Output<Partial<RailwayResult>>) => void = () => undefined;
  /** Known once the command has run: Railway chooses addresses and buckets' names itself. */
  private readonly result: Output<Partial<RailwayResult>>;

  constructor(
    private readonly app: ResolvedApp,
    private readonly settings: RailwaySettings,
  ) {
    this.result = output(new Promise<Output<Partial<RailwayResult>>>((resolve) => (this.tellResult = resolve)));
  }

  database(parent: ComponentResource, database: Database): void {
    if (database.engine !== "redis" && database.engine !== "postgres") return;
    // Letters and digits alone: the password stands in URLs and a command's environment.
    const options = { length: 32, special: false };
    const name = `${this.app.declaration.name}-${database.name}-password`;
    this.passwords[database.name] = new random.RandomPassword(name, options, { parent }).result;
  }

  bucket(parent: ComponentResource, bucket: Bucket): BucketOutputs {
    if (this.settings.archives === "railway") {
      this.buckets[bucket.name] = output(ownBucket(bucket.name));
      return { bucket: this.result.apply(({ buckets = {} }) => buckets[bucket.name] ?? bucket.name) };
    }
    const made = archiveByKey(parent, this.app, bucket);
    this.buckets[bucket.name] = made;
    return { bucket: made.bucket };
  }

  service(_parent: ComponentResource, service: Service): ServiceOutputs {
    if (!isPublic(service)) return { url: undefined };
    return { url: this.result.apply(({ services = {} }) => services[service.name]?.url) };
  }

  // Jobs, like services, are parts of the app's one command.
  job(): void {
    return;
  }

  close(parent: ComponentResource): HomeOutputs {
    const { app, settings } = this;
    const name = app.declaration.name;
    // Hashes of variables lie where others may read them; without this key nobody can try guesses on them.
    const pepper = new random.RandomPassword(`${name}-pepper`, { length: 32, special: false }, { parent }).result;
    const spec = all([all(this.passwords), all(this.buckets), pepper]).apply(([passwords, buckets, key]) =>
      // Outputs' types lose the optional fields of unions; the values are what they were.
      JSON.stringify(buildPlan(app, settings, { passwords, buckets }, key)),
    );
    const deployed = new command.local.Command(
      // Another name than on other targets: an app that moves is made here first, and then deleted there.
      `${name}-railway`,
      {
        ...driverCommand("railway", "app"),
        stdin: secret(spec),
        // Without secrets, so that a preview can show what a change is about.
        environment: describeChange(app, settings),
      },
      { parent },
    );
    const result = deployed.stdout.apply((stdout) => JSON.parse(stdout) as Partial<RailwayResult>);
    this.tellResult(result);
    return { summary: result.apply((told) => this.summarize(told)) };
  }

  private summarize({ services = {} }: Partial<RailwayResult>): unknown {
    const { app, settings } = this;
    const parts = Object.entries(services);
    const entries = <T>(pick: (name: string) => T | undefined): Record<string, T> =>
      Object.fromEntries(
        parts.flatMap(([name]) => {
          const value = pick(name);
          return value === undefined ? [] : [[name, value]];
        }),
      );
    return {
      target: app.target.name,
      project: projectOf(app, settings),
      environment: environmentOf(app, settings),
      services: parts.map(([name]) => name),
      // What a person has to enter at the registrar of the domain.
      dns: parts.flatMap(([, { dns }]) => dns),
      tcp: entries((name) => services[name]?.tcp),
      health: entries((name) => {
        const url = services[name]?.url;
        const health = app.declaration.services.find((service) => service.name === name)?.health;
        return url === undefined ? undefined : url + (health ?? "");
      }),
    };
  }
}

/** One of Railway's own buckets: what is known of it once the driver has made it. */
function ownBucket(name: string): MadeBucket {
  return {
    bucket: bucketToken(name, "name"),
    region: bucketToken(name, "region"),
    endpoint: bucketToken(name, "endpoint"),
    key: { accessKeyId: bucketToken(name, "key"), secretAccessKey: bucketToken(name, "secret") },
  };
}
