/** A list as GraphQL APIs page it (relay.dev/graphql/connections.htm). */
export interface Connection<T> {
  readonly edges: readonly { readonly node: T }[];
  readonly pageInfo?: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}
export const nodes = <T>(connection: Connection<T> | null | undefined): T[] =>
  (connection?.edges ?? []).map(({ node }) => node);

export interface Named {
  readonly id: string;
  readonly name: string;
  /** When it was deleted: lists show some things for a while longer. */
  readonly deletedAt?: string | null;
}

export const isThere = ({ deletedAt }: { readonly deletedAt?: string | null }): boolean => (deletedAt ?? null) === null;

export interface Environment extends Named {
  readonly isEphemeral: boolean;
  /** Changes that somebody staged in the dashboard and didn't commit. */
  readonly unmergedChangesCount?: number | null;
  /** The environment that it is a fork of. */
  readonly sourceEnvironment?: { readonly id: string } | null;
}

/** The enum DeploymentStatus of the contract. */
export type DeploymentStatus =
  | "BUILDING"
  | "CRASHED"
  | "DEPLOYING"
  | "FAILED"
  | "INITIALIZING"
  | "NEEDS_APPROVAL"
  | "QUEUED"
  | "REMOVED"
  | "REMOVING"
  | "SKIPPED"
  | "SLEEPING"
  | "SUCCESS"
  | "WAITING";

export interface Deployment {
  readonly id: string;
  readonly status: DeploymentStatus;
  readonly canRollback?: boolean;
  readonly deploymentStopped?: boolean;
  readonly createdAt?: string;
  readonly instances?: readonly { readonly id: string; readonly status: string }[];
}

/** A service in an environment. */
export interface Instance {
  readonly id: string;
  readonly serviceId: string;
  readonly deletedAt?: string | null;
  readonly source?: { readonly image?: string | null; readonly repo?: string | null } | null;
  readonly rootDirectory?: string | null;
  readonly dockerfilePath?: string | null;
  readonly startCommand?: string | null;
  /** Text or a list of texts. */
  readonly preDeployCommand?: unknown;
  readonly healthcheckPath?: string | null;
  readonly healthcheckTimeout?: number | null;
  readonly cronSchedule?: string | null;
  readonly restartPolicyType: string;
  readonly restartPolicyMaxRetries: number;
  readonly numReplicas?: number | null;
  readonly overlapSeconds?: number | null;
  readonly drainingSeconds?: number | null;
  readonly sleepApplication?: boolean | null;
  readonly latestDeployment?: Deployment | null;
  readonly domains: {
    readonly serviceDomains: readonly ServiceDomain[];
    readonly customDomains: readonly CustomDomain[];
  };
}

export interface ServiceDomain {
  readonly id: string;
  readonly domain: string;
  readonly targetPort?: number | null;
}
export interface CustomDomain extends ServiceDomain {
  readonly status: {
    readonly dnsRecords: readonly {
      readonly recordType: string;
      readonly fqdn: string;
      readonly requiredValue: string;
    }[];
    readonly verificationDnsHost?: string | null;
    readonly verificationToken?: string | null;
  };
}

/** Whether a volume is there to stay: one that was deleted is kept for 48 hours, and its data goes then. */
export const isKept = ({ deletedAt, isPendingDeletion, state }: VolumeInstance): boolean =>
  (deletedAt ?? null) === null && isPendingDeletion !== true && state !== "DELETED" && state !== "DELETING";

export interface VolumeInstance {
  readonly id: string;
  readonly volumeId: string;
  readonly serviceId?: string | null;
  readonly mountPath: string;
  readonly sizeMB: number;
  readonly currentSizeMB?: number;
  readonly state?: string | null;
  /** Deleted, and kept for 48 hours in case somebody wants it back. */
  readonly isPendingDeletion?: boolean;
  readonly deletedAt?: string | null;
  readonly volume: { readonly name: string };
}

export interface LogLine {
  readonly timestamp: string;
  readonly message: string;
  readonly severity?: string | null;
}

export interface BucketCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucketName: string;
  readonly endpoint: string;
  readonly region: string;
}
