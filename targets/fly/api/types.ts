/** The parts of Fly's Machines API that are used here, as its OpenAPI document and fly-go's struct tags have them. */

export interface Guest {
  readonly cpu_kind: "shared" | "performance";
  readonly cpus: number;
  readonly memory_mb: number;
}

export interface MachineCheck {
  readonly type: "http" | "tcp";
  readonly port?: number;
  readonly method?: string;
  readonly path?: string;
  /** Durations are texts such as `15s`: a bare number would be nanoseconds. */
  readonly interval: string;
  readonly timeout: string;
  readonly grace_period?: string;
}

export interface MachineService {
  readonly protocol: "tcp" | "udp";
  readonly internal_port: number;
  readonly autostart: boolean;
  readonly autostop: "off" | "stop" | "suspend";
  readonly min_machines_running: number;
  readonly ports: readonly {
    readonly port: number;
    readonly handlers: readonly ("http" | "tls")[];
    readonly force_https?: boolean;
  }[];
  readonly checks: readonly MachineCheck[];
  readonly concurrency: {
    readonly type: "connections" | "requests";
    readonly soft_limit: number;
    readonly hard_limit: number;
  };
}

export interface MachineFile {
  readonly guest_path: string;
  /** Base64. */
  readonly raw_value?: string;
  /** An app secret whose value is the file's content in base64. */
  readonly secret_name?: string;
}

export interface Mount {
  readonly volume: string;
  readonly path: string;
  readonly name?: string;
}

export interface MachineConfig {
  readonly image: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly init?: { readonly entrypoint?: readonly string[]; readonly cmd?: readonly string[] };
  readonly guest: Guest;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly mounts?: readonly Mount[];
  readonly services?: readonly MachineService[];
  readonly checks?: Readonly<Record<string, MachineCheck>>;
  readonly files?: readonly MachineFile[];
  readonly auto_destroy?: boolean;
  readonly restart?: { readonly policy: "no" | "always" | "on-failure"; readonly max_retries?: number };
  readonly metrics?: { readonly port: number; readonly path: string };
  readonly stop_config?: { readonly timeout: string; readonly signal: string };
  readonly dns?: { readonly skip_registration: boolean };
}

export interface MachineEvent {
  readonly type: string;
  readonly status: string;
  readonly timestamp: number;
  readonly request?: {
    readonly exit_event?: ExitEvent;
    readonly MonitorEvent?: { readonly exit_event?: ExitEvent };
    /** How often the program had been started again before this. */
    readonly restart_count?: number;
  };
}
export interface ExitEvent {
  readonly exit_code?: number;
  readonly guest_exit_code?: number;
  readonly oom_killed?: boolean;
  /** True where the machine was told to stop. */
  readonly requested_stop?: boolean;
}

export interface Machine {
  readonly id: string;
  readonly name?: string;
  readonly state: string;
  readonly region: string;
  /** Version of the configuration, new with each update. */
  readonly instance_id?: string;
  readonly config?: MachineConfig | null;
  /** What is known of the configuration where the host can't be reached. */
  readonly incomplete_config?: MachineConfig | null;
  readonly image_ref?: { readonly repository?: string; readonly tag?: string; readonly digest?: string };
  readonly created_at?: string;
  readonly updated_at?: string;
  readonly events?: readonly MachineEvent[] | null;
  readonly checks?: readonly { readonly name: string; readonly status: string; readonly output?: string }[] | null;
  readonly host_status?: "ok" | "unknown" | "unreachable";
  readonly cordoned?: boolean;
}

export interface Volume {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly size_gb: number;
  readonly region: string;
  readonly attached_machine_id?: string | null;
  readonly created_at?: string;
  readonly snapshot_retention?: number;
  readonly auto_backup_enabled?: boolean;
  /** Fly counts in blocks, where it tells of them at all. */
  readonly block_size?: number;
  readonly blocks?: number;
  readonly blocks_free?: number;
}

/** A copy of a volume (Machines API, VolumeSnapshot). */
export interface Snapshot {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  readonly created_at: string;
  /** `created` once it can be used. */
  readonly status?: string;
}

export interface IpAssignment {
  readonly ip: string;
  readonly shared?: boolean;
  readonly region?: string;
  readonly created_at?: string;
}

export interface Certificate {
  readonly hostname: string;
  readonly configured?: boolean;
  readonly status?: string;
  readonly certificates?: readonly { readonly status?: string }[] | null;
  readonly validation_errors?: readonly { readonly message?: string }[] | null;
  readonly dns_requirements?: {
    readonly a?: readonly string[];
    readonly aaaa?: readonly string[];
    readonly cname?: string;
    readonly acme_challenge?: { readonly name?: string; readonly target?: string };
    readonly ownership?: { readonly name?: string; readonly app_value?: string };
  };
}

export interface FlyApp {
  readonly id?: string;
  readonly name: string;
  readonly organization?: { readonly slug?: string };
  readonly status?: string;
}

/** The configuration of a machine as far as it is known. */
export const configOf = (machine: Machine): MachineConfig | undefined =>
  machine.config ?? machine.incomplete_config ?? undefined;

export const metadataOf = (machine: Machine): Readonly<Record<string, string>> => configOf(machine)?.metadata ?? {};

/**
 * A configuration that Fly has told, in the form in which it is given: Fly answers `autostop` as true or false where it was
 * given as text, and null for what wasn't given, neither of which its contract takes.
 */
export function asGiven(config: MachineConfig): MachineConfig {
  const text = JSON.stringify(config, (key, value: unknown) => {
    if (key === "autostop" && typeof value === "boolean") return value ? "stop" : "off";
    return value === null ? undefined : value;
  });
  return JSON.parse(text) as MachineConfig;
}

/**
 * States from which a machine or volume doesn't come back (fly.io/docs/machines/machine-states). One that is `replacing` its
 * configuration is there, and has its volume: to overlook it would be to make another with an empty one.
 */
const gone = new Set(["destroyed", "destroying", "replaced", "migrated"]);
const goneVolume = new Set([
  "scheduling_destroy",
  "fork_cleanup",
  "waiting_for_detach",
  "pending_destroy",
  "destroying",
  "destroyed",
]);

export const isThere = (machine: Machine): boolean => !gone.has(machine.state);
export const isVolumeThere = (volume: Volume): boolean => !goneVolume.has(volume.state);

/** Whether Fly's proxy has stopped it until it is needed. */
export const isAsleep = (machine: Machine): boolean =>
  (machine.state === "stopped" || machine.state === "suspended") &&
  machine.cordoned !== true &&
  // Fly answers `true` for `stop`.
  (configOf(machine)?.services ?? []).some(
    ({ autostart, autostop }) => autostart && ![false, "off"].includes(autostop),
  );

/** Whether Fly reaches the host that a machine is on: what it tells of others is what it last knew. */
export const isHostUp = ({ host_status = "ok" }: Machine): boolean => host_status === "ok";

export const hostWords = (status: string): string =>
  status === "unreachable" ? "its host is unreachable" : `its host is in an ${status} state`;

/** How full a volume may be before somebody is told. */
export const diskLimitPercent = 80;

/** How full a volume is; 0 where Fly doesn't tell. */
export function usedPercentOf({ size_gb, block_size = 0, blocks_free }: Volume): number {
  const bytes = size_gb * 1024 ** 3;
  const free = blocks_free === undefined || block_size === 0 ? bytes : blocks_free * block_size;
  return Math.round((100 * (bytes - free)) / bytes);
}
