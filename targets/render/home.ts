import * as command from "@pulumi/command";
import { all, secret, type ComponentResource, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { driverCommand } from "../../drivers/command";
import { archiveByKey } from "../systemd/archiveByKey";
import type { MadeBucket } from "../systemd/values";
import type { BucketOutputs, Home, HomeOutputs, ServiceOutputs } from "../target";
import { buildPlan } from "./buildPlan";
import { idOf } from "./names";
import type { RenderResult } from "./plan";
import type { RenderSettings } from "./settings";
import { describeChange } from "./summary";
import { publicUrl, type RenderMade } from "./values";

/** An app's place on Render: buckets of its own, then one command that deploys the rest. */
export class RenderHome implements Home {
  private readonly buckets: Record<string, Output<MadeBucket>> = {};

  constructor(
    private readonly app: ResolvedApp,
    private readonly settings: RenderSettings,
  ) {}

  // Render makes databases' passwords itself.
  database(): void {
    return;
  }

  bucket(parent: ComponentResource, bucket: Bucket): BucketOutputs {
    const made = archiveByKey(parent, this.app, bucket);
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
    // Hashes of secrets lie where others may read them; without this key nobody can try guesses on them.
    const pepper = new random.RandomPassword(`${name}-pepper`, { length: 32, special: false }, { parent }).result;
    const spec = all([all(this.buckets), pepper]).apply(([buckets, key]) =>
      // Outputs' types lose the optional fields of unions; the values are what they were.
      JSON.stringify(buildPlan(app, settings, { buckets }, key)),
    );
    const deployed = new command.local.Command(
      // Another name than on other targets: an app that moves is made here first, and then deleted there.
      `${name}-render`,
      {
        ...driverCommand("render", "app"),
        stdin: secret(spec),
        // Without secrets, so that a preview can show what a change is about.
        environment: describeChange(app, buildPlan(app, settings, this.unmade(), "")),
      },
      { parent },
    );
    const summary = deployed.stdout.apply((stdout) => {
      const { services = {} } = JSON.parse(stdout) as Partial<RenderResult>;
      const urls = Object.entries(services).flatMap(([part, { url }]) =>
        url === undefined ? [] : [[part, url] as const],
      );
      const health = (part: string): string =>
        app.declaration.services.find((service) => service.name === part)?.health ?? "";
      return {
        target: app.target.name,
        id: idOf(app),
        region: settings.region,
        dashboards: Object.fromEntries(Object.entries(services).map(([part, { dashboard }]) => [part, dashboard])),
        // What a person has to enter at the registrar of the domain.
        dns: Object.values(services).flatMap(({ dns }) => dns),
        health: Object.fromEntries(urls.map(([part, url]) => [part, url + health(part)])),
      };
    });
    return { summary };
  }

  /** Buckets as previews know them: their names come with the first deploy, and nothing that is shown is made of them. */
  private unmade(): RenderMade {
    const { region } = this.app.stackSettings.objectStore;
    const names = Object.keys(this.buckets);
    return { buckets: Object.fromEntries(names.map((name) => [name, { bucket: name, region }])) };
  }
}
