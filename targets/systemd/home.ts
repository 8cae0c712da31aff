import * as command from "@pulumi/command";
import { all, output, secret, type ComponentResource, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket, Database, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { bucketName, hostName } from "../../components/values/names";
import { driverCommand } from "../../drivers/command";
import type { BucketOutputs, Home, HomeOutputs, ServiceOutputs } from "../target";
import { buildPlan } from "./buildPlan";
import type { Host } from "./host";
import type { HostSpec } from "./plan";
import { describeChange } from "./summary";
import { publicUrl } from "./values";

/** An app's place on a systemd host: buckets and passwords of its own, then one command that deploys the rest. */
export class SystemdHome implements Home {
  private readonly passwords: Record<string, Output<string>> = {};
  private readonly buckets: Record<string, Output<string>> = {};

  constructor(
    private readonly app: ResolvedApp,
    private readonly host: Host,
  ) {}

  database(parent: ComponentResource, database: Database): void {
    if (database.engine !== "postgres" && database.engine !== "redis") return;
    const name = `${this.app.declaration.name}-${database.name}`;
    // Letters and digits alone: the password stands in URLs, SQL and configuration files.
    this.passwords[database.name] = new random.RandomPassword(
      `${name}-password`,
      { length: 32, special: false },
      { parent },
    ).result;
  }

  bucket(parent: ComponentResource, bucket: Bucket): BucketOutputs {
    const { declaration, stack, settings, environment, stackSettings } = this.app;
    const name = `${declaration.name}-${bucket.name}`;
    const existing = settings.buckets[bucket.name] ?? bucket.existing;
    const physical =
      existing === undefined
        ? new random.RandomId(`${name}-id`, { byteLength: 4 }, { parent }).hex.apply((suffix) =>
            bucketName(declaration.name, stack, bucket.name, suffix),
          )
        : output(existing);
    const { endpoint, region, accessKeyId, secretAccessKey } = stackSettings.objectStore;
    const spec = physical.apply((bucketId) =>
      JSON.stringify({
        connection: {
          ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
          region,
          accessKeyId,
          secretAccessKey,
        },
        bucket: {
          name: bucketId,
          adopt: existing !== undefined,
          tags: { "homeport:app": declaration.name, "homeport:stack": stack, "homeport:bucket": bucket.name },
          ...(bucket.coldAfter === undefined ? {} : { coldAfterDays: bucket.coldAfter.toDays() }),
          ...(bucket.expireAfter === undefined ? {} : { expireAfterDays: bucket.expireAfter.toDays() }),
          onDelete: environment === "live" || existing !== undefined ? "keep" : "delete if empty",
        },
      }),
    );
    const made = new command.local.Command(
      name,
      { ...driverCommand("s3", "bucket"), stdin: secret(spec), environment: { HOMEPORT_BUCKET: physical } },
      { parent },
    );
    this.buckets[bucket.name] = all([physical, made.stdout]).apply(([bucketId]) => bucketId);
    return { bucket: physical };
  }

  service(_parent: ComponentResource, service: Service): ServiceOutputs {
    return { url: publicUrl(this.app, this.host, service.name) };
  }

  // Jobs, like services, are parts of the app's one command: they share its release and its switch.
  job(): void {
    return;
  }

  close(parent: ComponentResource): HomeOutputs {
    const { app, host } = this;
    const plan = all([all(this.passwords), all(this.buckets)]).apply(([passwords, buckets]) =>
      buildPlan(app, host, { passwords, buckets }),
    );
    const spec = plan.apply((made) => JSON.stringify({ connection: host.connection, plan: made } satisfies HostSpec));
    const deployed = new command.local.Command(
      app.declaration.name,
      {
        ...driverCommand("systemd", "app"),
        stdin: secret(spec),
        // Without secrets, so that a preview can show what a change is about.
        environment: describeChange(app, host),
      },
      { parent },
    );
    const urls = Object.fromEntries(
      app.declaration.services.flatMap((service) => {
        const url = publicUrl(app, host, service.name);
        return url === undefined ? [] : [[service.name, url + (service.health ?? "")]];
      }),
    );
    const summary = deployed.urn.apply(() => ({
      target: app.target.name,
      host: host.name,
      address: host.connection.address,
      id: hostName(app.declaration.name, app.stack),
      health: urls,
    }));
    return { summary };
  }
}
