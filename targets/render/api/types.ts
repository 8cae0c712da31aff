/** What the API answers with, as far as the driver reads it: https://api-docs.render.com/reference. */
export interface Owner {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}
export interface Named {
  readonly id: string;
  readonly name: string;
}
export interface Project extends Named {
  readonly environmentIds: readonly string[];
}
export interface Service extends Named {
  readonly type: string;
  readonly slug: string;
  readonly ownerId: string;
  readonly environmentId?: string;
  readonly repo?: string;
  readonly branch?: string;
  readonly imagePath?: string;
  readonly rootDir?: string;
  readonly autoDeploy?: string;
  readonly dashboardUrl: string;
  readonly suspended: string;
  readonly updatedAt: string;
  readonly serviceDetails: ServiceDetails;
}
export interface ServiceDetails {
  readonly runtime?: string;
  readonly plan?: string;
  readonly region?: string;
  readonly numInstances?: number;
  readonly autoscaling?: {
    readonly enabled: boolean;
    readonly min: number;
    readonly max: number;
    /** Sent back as it was told. */
    readonly criteria?: unknown;
  };
  readonly healthCheckPath?: string;
  readonly preDeployCommand?: string;
  readonly maxShutdownDelaySeconds?: number;
  readonly schedule?: string;
  readonly url?: string;
  readonly ipAllowList?: readonly { readonly cidrBlock: string }[] | null;
  /** `srv-…@ssh.oregon.render.com`, where SSH is on. */
  readonly sshAddress?: string;
  readonly disk?: { readonly id: string; readonly sizeGB: number; readonly mountPath: string };
  readonly parentServer?: Named;
  readonly envSpecificDetails?: {
    readonly dockerCommand?: string;
    readonly dockerfilePath?: string;
    readonly preDeployCommand?: string;
  };
}
export interface Deploy {
  readonly id: string;
  readonly status: string;
  readonly trigger?: string;
  readonly createdAt: string;
  readonly finishedAt?: string;
  readonly commit?: { readonly id: string; readonly message?: string };
  readonly image?: { readonly ref?: string; readonly sha?: string };
}
export interface Database extends Named {
  readonly status: string;
  readonly plan: string;
  readonly region: string;
  readonly environmentId?: string;
  /** Who may connect from outside; null, too, where nobody may. */
  readonly ipAllowList?: readonly { readonly cidrBlock: string }[] | null;
  /** Postgres alone. */
  readonly version?: string;
  readonly diskSizeGB?: number;
}
export interface Domain extends Named {
  readonly verificationStatus: string;
  /** The domain that this one leads to; empty where it is shown itself. */
  readonly redirectForName: string;
}
export interface Run {
  readonly id: string;
  readonly status: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}
export interface Event {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly details?: { readonly status?: string; readonly cronJobRunId?: string };
}
export interface DiskSnapshot {
  readonly createdAt: string;
  /** What a restore is asked for by. Holds for a day after it was told. */
  readonly snapshotKey: string;
  readonly instanceId?: string;
}
/** A metric's values over time, oldest first. */
export interface Series {
  readonly values: readonly { readonly timestamp: string; readonly value: number }[];
  readonly unit: string;
}
export interface LogEntry {
  readonly message: string;
  readonly timestamp: string;
  readonly labels: readonly { readonly name: string; readonly value: string }[];
}
export interface LogPage {
  readonly hasMore: boolean;
  readonly nextStartTime: string;
  readonly nextEndTime: string;
  readonly logs: readonly LogEntry[];
}

/** States that a deploy doesn't leave by itself (render-oss/cli, pkg/deploy/util.go). */
export const deployEnded = (status: string): boolean => !/^(created|queued|.*_in_progress)$/.test(status);
/** `deactivated` was live until the next one was. */
export const deploySucceeded = (status: string): boolean => status === "live" || status === "deactivated";
