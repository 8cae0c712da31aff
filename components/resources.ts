import { ComponentResource, type ComponentResourceOptions, output, type Output } from "@pulumi/pulumi";
import type { Home } from "../targets/target";
import type { Bucket, Database, Job, Service } from "./declaration";

/** What each component takes: its declaration, and the home that the stack's target has opened for its app. */
interface Args<D> {
  readonly declaration: D;
  readonly home: Home;
}

/** A long-running program of an app, on whatever target the stack chose. */
export class AppService extends ComponentResource {
  /** Where others reach it; undefined for workers and internal services. */
  readonly url: Output<string | undefined>;

  constructor(name: string, { declaration, home }: Args<Service>, options?: ComponentResourceOptions) {
    super("homeport:index:AppService", name, {}, options);
    this.url = output(home.service(this, declaration).url);
    this.registerOutputs({ url: this.url });
  }
}

/** A command of an app that runs on a schedule. */
export class ScheduledJob extends ComponentResource {
  constructor(name: string, { declaration, home }: Args<Job>, options?: ComponentResourceOptions) {
    super("homeport:index:ScheduledJob", name, {}, options);
    home.job(this, declaration);
    this.registerOutputs({ schedule: declaration.at.toString() });
  }
}

/** A bucket that keeps files for good. */
export class ArchiveBucket extends ComponentResource {
  readonly bucket: Output<string>;

  constructor(name: string, { declaration, home }: Args<Bucket>, options?: ComponentResourceOptions) {
    super("homeport:index:ArchiveBucket", name, {}, options);
    this.bucket = output(home.bucket(this, declaration).bucket);
    this.registerOutputs({ bucket: this.bucket });
  }
}

/** A database of an app; its data outlives the app's place. */
export class ManagedDb extends ComponentResource {
  constructor(name: string, { declaration, home }: Args<Database>, options?: ComponentResourceOptions) {
    super("homeport:index:ManagedDb", name, {}, options);
    home.database(this, declaration);
    this.registerOutputs({ engine: declaration.engine });
  }
}
