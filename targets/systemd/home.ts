import * as command from "@pulumi/command";
import { all, output, secret, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket, Database, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { hostName } from "../../components/values/names";
import { driverCommand } from "../../drivers/command";
import type { BucketOutputs, Home, HomeOutputs, ServiceOutputs } from "../target";
import { buildPlan } from "./buildPlan";
import type { Host } from "./host";
import type { HostSpec, PlannedServer } from "./plan";
import { describeChange } from "./summary";
import { publicUrl, type MadeBucket } from "./values";

/** A host, and what the target makes for its apps besides. */
export interface SystemdPlace {
  /** The host's name in the stack. */
  readonly name: string;
  readonly host: Input<Host>;
  bucket(parent: ComponentResource, app: ResolvedApp, bucket: Bucket): Output<MadeBucket>;
  /**
   * A server of its own for a database, with this password; undefined where the host is to run it.
   * Left out: the host runs them all.
   */
  server?(
    parent: ComponentResource,
    app: ResolvedApp,
    database: Database,
    password: Output<string>,
  ): Output<PlannedServer> | undefined;
}

/** An app's place on a systemd host: buckets and passwords of its own, then one command that deploys the rest. */
export class SystemdHome implements Home {
  private readonly host: Output<Host>;
  private readonly passwords: Record<string, Output<string>> = {};
  private readonly buckets: Record<string, Output<MadeBucket>> = {};
  private readonly servers: Record<string, Output<PlannedServer>> = {};

  constructor(
    private readonly app: ResolvedApp,
    private readonly place: SystemdPlace,
  ) {
    this.host = output(place.host);
  }

  database(parent: ComponentResource, database: Database): void {
    if (database.engine !== "postgres" && database.engine !== "redis") return;
    const name = `${this.app.declaration.name}-${database.name}`;
    // Letters and digits alone: the password stands in URLs, SQL and configuration files.
    const password = new random.RandomPassword(`${name}-password`, { length: 32, special: false }, { parent }).result;
    this.passwords[database.name] = password;
    const server = this.place.server?.(parent, this.app, database, password);
    if (server !== undefined) this.servers[database.name] = server;
  }

  bucket(parent: ComponentResource, bucket: Bucket): BucketOutputs {
    const made = this.place.bucket(parent, this.app, bucket);
    this.buckets[bucket.name] = made;
    return { bucket: made.bucket };
  }

  service(_parent: ComponentResource, service: Service): ServiceOutputs {
    return { url: this.host.apply((host) => publicUrl(this.app, host, service.name)) };
  }

  // Jobs, like services, are parts of the app's one command: they share its release and its switch.
  job(): void {
    return;
  }

  close(parent: ComponentResource): HomeOutputs {
    const { app, host, place } = this;
    const spec = all([host, all(this.passwords), all(this.buckets), all(this.servers)]).apply(
      ([known, passwords, buckets, servers]) => {
        // Outputs' types lose the optional fields of unions; the values are what they were.
        const made = { passwords, buckets, servers } as Parameters<typeof buildPlan>[2];
        const plan = buildPlan(app, known, made);
        return JSON.stringify({ connection: (known as Host).connection, plan } satisfies HostSpec);
      },
    );
    const deployed = new command.local.Command(
      // Another name on each host and target: an app that moves is made here first, and then deleted there.
      `${app.declaration.name}-${app.target.name}-${place.name}`,
      {
        ...driverCommand("systemd", "app"),
        stdin: secret(spec),
        // Without secrets, so that a preview can show what a change is about.
        environment: host.apply((known) => describeChange(app, known)),
      },
      { parent },
    );
    const summary = all([deployed.urn, host]).apply(([, known]) => ({
      target: app.target.name,
      host: known.name,
      address: known.connection.address,
      id: hostName(app.declaration.name, app.stack),
      health: healthUrls(app, known),
    }));
    return { summary };
  }
}

function healthUrls(app: ResolvedApp, host: Host): Record<string, string> {
  return Object.fromEntries(
    app.declaration.services.flatMap((service) => {
      const url = publicUrl(app, host, service.name);
      return url === undefined ? [] : [[service.name, url + (service.health ?? "")]];
    }),
  );
}
