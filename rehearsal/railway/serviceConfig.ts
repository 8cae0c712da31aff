/** A variable as an environment's configuration has it. */
export interface VariableConfig {
  /** With its references, such as `${{Postgres.DATABASE_URL}}`. */
  value: string;
  /** Never shown again, nor copied to another environment. */
  isSealed?: boolean;
}

/** Where a service comes from: an image, or a folder of a repository. */
export interface SourceConfig {
  image?: string;
  repo?: string;
  branch?: string;
  commitSha?: string;
  rootDirectory?: string;
  checkSuites?: boolean;
  autoUpdates?: unknown;
}

export interface BuildConfig {
  builder?: string;
  buildCommand?: string;
  dockerfilePath?: string;
  watchPatterns?: string[];
  nixpacksPlan?: unknown;
}

export interface RegionConfig {
  numReplicas?: number;
}

export interface DeployConfig {
  startCommand?: string;
  preDeployCommand?: string | string[];
  healthcheckPath?: string;
  /** In seconds. */
  healthcheckTimeout?: number;
  numReplicas?: number;
  region?: string;
  multiRegionConfig?: Record<string, RegionConfig | null>;
  cronSchedule?: string;
  restartPolicyType?: "ON_FAILURE" | "ALWAYS" | "NEVER";
  restartPolicyMaxRetries?: number;
  sleepApplication?: boolean;
  ipv6EgressEnabled?: boolean;
  registryCredentials?: { readonly username: string; readonly password: string };
  limitOverride?: { containers?: { cpu?: number; memoryBytes?: number; diskBytes?: number } };
  requiredMountPath?: string;
  overlapSeconds?: number;
  drainingSeconds?: number;
}

/** A service in an environment, in the form of `EnvironmentConfig.services`; mounts and domains are kept apart. */
export interface ServiceConfig {
  source?: SourceConfig;
  build?: BuildConfig;
  deploy?: DeployConfig;
  variables: Record<string, VariableConfig>;
  configFile?: string;
}
