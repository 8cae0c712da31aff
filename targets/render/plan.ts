import type { RenderConnection } from "./api/connection";

/** What the driver reads from stdin: one app of one stack on Render. Secret as a whole. */
export interface RenderSpec {
  readonly connection: RenderConnection;
  /** `hotrod-dev`: the tag of everything that belongs to it. */
  readonly id: string;
  /** Key of the hashes that are kept on the platform, so that nobody can try guesses on them. */
  readonly pepper: string;
  readonly project: string;
  readonly environment: string;
  /** Whether only administrators of the workspace may change what is in the environment. */
  readonly isProtected: boolean;
  readonly region: string;
  readonly postgres: readonly RenderPostgres[];
  readonly keyValues: readonly RenderKeyValue[];
  /** In the order in which they are deployed: those of one `stage` together. */
  readonly services: readonly RenderService[];
  /** Names on Render of what somebody else made, and this app is to take over. */
  readonly adopt: readonly string[];
  readonly onDelete: "keep data" | "delete data";
}

export type RenderServiceType = "web_service" | "private_service" | "background_worker" | "cron_job";

/** Where a service's code comes from. */
export type RenderCode =
  | {
      readonly kind: "repository";
      readonly repo: string;
      /** Left out: the repository's default one. */
      readonly branch?: string;
      readonly rootDir: string;
      readonly dockerfilePath: string;
      /** Full hash of the commit to deploy. */
      readonly commit: string;
    }
  | { readonly kind: "image"; readonly image: string };

export interface RenderService {
  /** Component of the app, service or job. */
  readonly part: string;
  /** Its name on Render, one in the workspace. */
  readonly name: string;
  readonly type: RenderServiceType;
  /** 0: what others connect to; 1: what has a release step; 2: the rest; 3: cron jobs. */
  readonly stage: number;
  readonly code: RenderCode;
  readonly plan: string;
  /** A shell's command line. Left out: the image's own. */
  readonly command?: string;
  /** A shell's command line, run once before the new version takes over. */
  readonly release?: string;
  readonly healthPath?: string;
  readonly drainSeconds?: number;
  /** Crontab in UTC; cron jobs alone. */
  readonly schedule?: string;
  /** How many at least and at most; alike without autoscaling. Not for cron jobs. */
  readonly instances?: { readonly min: number; readonly max: number };
  readonly disk?: { readonly name: string; readonly path: string; readonly sizeGb: number };
  /** Those that may connect; left out: everyone. Web services alone. */
  readonly allowFrom?: readonly string[];
  /** Values may hold tokens of `tokens.ts`, which the driver replaces. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of the variables that hold secrets. */
  readonly secrets: readonly string[];
  /** Values of the secrets that jobs beside it have for themselves. */
  readonly jobSecrets?: readonly string[];
  /** Contents by name, seen as `/etc/secrets/<name>`. */
  readonly files: Readonly<Record<string, string>>;
  readonly domains: readonly string[];
  /** From the start of a deploy to its end. */
  readonly deploySeconds: number;
}

export interface RenderPostgres {
  /** As tokens have it. */
  readonly part: string;
  readonly name: string;
  readonly plan: string;
  readonly diskGb: number;
  readonly version: string;
}

export interface RenderKeyValue {
  readonly part: string;
  readonly name: string;
  readonly plan: string;
}

/** What the driver prints on stdout; holds no secret. */
export interface RenderResult {
  readonly services: Readonly<Record<string, RenderServiceResult>>;
  /** Ids of databases by component. */
  readonly data: Readonly<Record<string, string>>;
  /** What was done, in order; empty where all was as asked. */
  readonly changes: readonly string[];
  readonly calls: number;
}

export interface RenderServiceResult {
  readonly id: string;
  /** Where it is reached; undefined where nobody connects to it. */
  readonly url?: string;
  readonly dashboard: string;
  /** What a person has to enter at the domains' registrar. */
  readonly dns: readonly { readonly name: string; readonly type: "CNAME"; readonly value: string }[];
}
