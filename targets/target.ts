import type { ComponentResource, Input, Output } from "@pulumi/pulumi";
import type { Bucket, Database, Job, Service } from "../components/declaration";
import type { Problem } from "../components/problems";
import type { ResolvedApp } from "../components/resolvedApp";
import type { Settings, StackConfig } from "../components/settings";
import type { Duration } from "../components/values/duration";
import type { Operations, PlacedApp } from "./operations";
import type { PendingCreation, Search } from "./recovery";

/** What a target can do, as data: declarations are held against it before anything is touched. */
export interface Capabilities {
  readonly cron: {
    /** Shortest time between two runs. */
    readonly minimum: Duration;
    /** Zones that schedules may be in: all, those whose clocks never change, as UTC can say their times, or UTC alone. */
    readonly timeZones: "all" | "fixed" | "UTC";
  };
  readonly volumes: {
    readonly perService: number;
    /** Whether a service with a volume may have several instances. */
    readonly withInstances: boolean;
  };
  /** False where `instances: { min, max }` means `min`. That is told, not refused. */
  readonly autoscaling: boolean;
  readonly databases: Readonly<Partial<Record<Database["engine"], { readonly extensions: readonly string[] | "any" }>>>;
  /** Whether services may be published images, code from a source, or both. */
  readonly code: readonly ("image" | "source")[];
  /** Whether a service can be closed to all but configured addresses. */
  readonly restrictedAccess: boolean;
  /** Whether services can have host names of their own with TLS. */
  readonly domains: boolean;
  readonly buckets: boolean;
}

/** A place that apps run. One folder in `targets/` each. */
export interface Target {
  /** As stacks name it, `<app>:target`; also the namespace of its settings. */
  readonly name: string;
  readonly about: string;
  readonly capabilities: Capabilities;
  /** The target's own keys, `<target>:<key>`. */
  readonly settings: Settings;
  /**
   * Whether the stack asks something of this target that isn't for its apps. It is then checked and opened also where no app
   * is on it. @default never
   */
  wanted?(config: StackConfig): boolean;
  /**
   * What keeps these apps (all that the stack puts here) from running: settings that lack, ports that meet, and so on.
   * Pure, and before anything is registered.
   */
  check(apps: readonly ResolvedApp[], config: StackConfig): readonly Problem[];
  /**
   * Prepares the place for all of the stack's apps on it, after all checks of the stack have passed. What only this needs
   * (an SDK, resource classes) is loaded here, so that a stack doesn't pay for targets that it doesn't use.
   */
  open(apps: readonly ResolvedApp[], config: StackConfig): Promise<Place>;
  /**
   * Day-two work on an app that is there. Makes no call yet, and loads what only this needs.
   * @param outputs what the deployed stack tells of this target (`Place.outputs`), asked for when it is needed;
   *   undefined where the stack was never deployed
   * @throws DriverError where the stack doesn't say enough to find it
   */
  operate(app: PlacedApp, config: StackConfig, outputs: () => Promise<unknown>): Promise<Operations>;
  /**
   * Looks on the platform for what an engine that was killed was making of this target's resources; changes nothing. Targets
   * whose resources are all commands need none: the drivers find what there is.
   * @returns undefined for a type of resource that the target doesn't declare
   * @throws DriverError where the platform can't be asked
   */
  search?(creation: PendingCreation, config: StackConfig): Promise<Search | undefined>;
}

/** A target made ready for the apps of one stack: what they share there, and a home for each. */
export interface Place {
  home(app: ResolvedApp): Home;
  /** What day-two work needs to know of what the target made, under the target's name in `pulumi stack output`. */
  readonly outputs?: Output<unknown>;
}

/** One app's place on a target. Each method makes the platform's resources as children of the component it is given. */
export interface Home {
  /** Databases and buckets come first, as the values of services may refer to them. */
  database(parent: ComponentResource, database: Database): void;
  bucket(parent: ComponentResource, bucket: Bucket): BucketOutputs;
  service(parent: ComponentResource, service: Service): ServiceOutputs;
  job(parent: ComponentResource, job: Job): void;
  /** Called once after the app's last component, for targets that deploy an app as a whole. */
  close(parent: ComponentResource): HomeOutputs;
}

export interface BucketOutputs {
  readonly bucket: Input<string>;
}
export interface ServiceOutputs {
  /** Where others reach it; undefined for workers and internal services. */
  readonly url: Input<string | undefined>;
}
export interface HomeOutputs {
  /** What a person may want to see of the app in `pulumi stack output`; no secrets. */
  readonly summary: Output<unknown>;
}
