import * as command from "@pulumi/command";
import { all, output, secret, type ComponentResource, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket, Database, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { driverCommand } from "../../drivers/command";
import type { BuildImage } from "../containers/images";
import { archiveByKey } from "../systemd/archiveByKey";
import type { MadeBucket } from "../systemd/values";
import type { BucketOutputs, Home, HomeOutputs, ServiceOutputs } from "../target";
import { buildPlan } from "./buildPlan";
import { mainName, regionOf } from "./names";
import type { FlyResult } from "./plan";
import { schedulerScript } from "./scheduler/bundle";
import type { FlySettings } from "./settings";
import { describeChange } from "./summary";
import { tigrisBucket } from "./tigris/bucket";
import { isTigris } from "./tigris/check";
import { publicUrl, type FlyMade } from "./values";

/** An app's place on Fly.io: passwords, buckets and images of its own, then one command that deploys the rest. */
export class FlyHome implements Home {
  private readonly passwords: Record<string, Output<string>> = {};
  private readonly buckets: Record<string, Output<MadeBucket>> = {};

  constructor(
    private readonly app: ResolvedApp,
    private readonly settings: FlySettings,
    private readonly build: BuildImage,
  ) {}

  database(parent: ComponentResource, database: Database): void {
    if (database.engine !== "redis") return;
    // Letters and digits alone: the password stands in URLs and a command's environment.
    const options = { length: 32, special: false };
    const name = `${this.app.declaration.name}-${database.name}-password`;
    this.passwords[database.name] = new random.RandomPassword(name, options, { parent }).result;
  }

  bucket(parent: ComponentResource, bucket: Bucket): BucketOutputs {
    const made = isTigris(this.app, this.settings, bucket)
      ? tigrisBucket(parent, this.app, this.settings, bucket)
      : archiveByKey(parent, this.app, bucket);
    this.buckets[bucket.name] = made;
    return { bucket: made.bucket };
  }

  service(_parent: ComponentResource, service: Service): ServiceOutputs {
    return { url: publicUrl(this.app, this.settings, service) };
  }

  // Jobs, like services, are parts of the app's one command.
  job(): void {
    return;
  }

  close(parent: ComponentResource): HomeOutputs {
    const { app, settings } = this;
    const name = app.declaration.name;
    // Services share images, so that these belong to the app.
    const images = Object.fromEntries(
      app.declaration.services
        .filter(({ image }) => image === undefined)
        .map((service) => [service.name, output(this.build(parent, app, service))]),
    );
    // Hashes of secrets lie where others may read them; without this key nobody can try guesses on them.
    const pepper = new random.RandomPassword(`${name}-pepper`, { length: 32, special: false }, { parent }).result;
    const spec = all([all(this.passwords), all(this.buckets), all(images), pepper]).apply(
      ([passwords, buckets, built, key]) => {
        // Outputs' types lose the optional fields of unions; the values are what they were.
        const made = { passwords, buckets, images: built } as FlyMade;
        return JSON.stringify(buildPlan(app, settings, made, key, schedulerScript));
      },
    );
    const deployed = new command.local.Command(
      // Another name than on other targets: an app that moves is made here first, and then deleted there.
      `${name}-fly`,
      {
        ...driverCommand("fly", "app"),
        stdin: secret(spec),
        // Without secrets, so that a preview can show what a change is about.
        environment: describeChange(app, settings, images),
      },
      { parent },
    );
    const summary = deployed.stdout.apply((stdout) => {
      const { apps = {} } = JSON.parse(stdout) as Partial<FlyResult>;
      const main = apps[mainName(app, settings)];
      return {
        target: app.target.name,
        app: mainName(app, settings),
        region: regionOf(app, settings),
        apps: Object.keys(apps),
        ips: main?.ips ?? [],
        // What a person has to enter at the registrar of the domain.
        dns: main?.dns ?? [],
        health: healthUrls(app, settings),
      };
    });
    return { summary };
  }
}

function healthUrls(app: ResolvedApp, settings: FlySettings): Record<string, string> {
  return Object.fromEntries(
    app.declaration.services.flatMap((service) => {
      const url = publicUrl(app, settings, service);
      return url === undefined ? [] : [[service.name, url + (service.health ?? "")]];
    }),
  );
}
