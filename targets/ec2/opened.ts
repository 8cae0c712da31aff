import type { ComponentResource, Input } from "@pulumi/pulumi";
import type { SystemdPlace } from "../systemd/home";
import type { AwsConnection } from "./awsConfig";
import type { StackKey } from "./keys";
import type { Ec2Settings } from "./settings";

/** What the hosts of a stack share. */
export interface Shared {
  /** The component that they are children of. */
  readonly parent: ComponentResource;
  readonly settings: Ec2Settings;
  readonly aws: AwsConnection;
  readonly key: StackKey;
  /** Where a region's alarms go; undefined where nobody is to be written to. */
  readonly topicIn: (region: string) => Input<string> | undefined;
}

/** A host that is ready for its apps. */
export interface OpenedHost {
  readonly place: SystemdPlace;
  readonly outputs: HostOutputsMade;
}

/** What day-two work needs to know of a host. */
export interface HostOutputs {
  readonly instanceId: string;
  readonly region: string;
  /** Where SSH connects to: an address, or the instance's id where Session Manager is the way. */
  readonly address: string;
  /** Where others reach its apps. */
  readonly publicAddress: string;
  readonly user: string;
  readonly hostKey: string;
  /** Secret. Left out where your ssh agent and files have the key. */
  readonly privateKey?: string;
}

/** The same, some of it known only when it is made. */
export type HostOutputsMade = { readonly [K in keyof HostOutputs]: Input<NonNullable<HostOutputs[K]>> };

/** `pulumi stack output ec2`. */
export interface Ec2Outputs {
  readonly hosts: Readonly<Record<string, HostOutputs>>;
  /** The roles of the repository's workflows, for its variables. */
  readonly github?: { readonly previewRoleArn: string; readonly upRoleArn: string };
}

/** Namespace of the metrics that a stack's hosts put to CloudWatch. */
export const metricsOf = (stack: string): string => `Homeport/${stack}`;
