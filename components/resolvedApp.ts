import type { Fingerprint, Source } from "../drivers/source";
import type { Target } from "../targets/target";
import type { AppSettings } from "./appSettings";
import type { AppDeclaration } from "./declaration";
import type { Environment } from "./environment";
import type { ResolvedEnv } from "./resolve";
import type { ObjectStore } from "./stackSettings";

/** An app as one stack is to have it: the declaration, and everything that the stack's configuration decided. */
export interface ResolvedApp {
  readonly stack: string;
  readonly environment: Environment;
  readonly declaration: AppDeclaration;
  readonly target: Target;
  readonly settings: AppSettings;
  /** Each service's variables, by service. */
  readonly serviceEnv: Readonly<Record<string, ResolvedEnv>>;
  /** Each job's own variables, by job. */
  readonly jobEnv: Readonly<Record<string, ResolvedEnv>>;
  /** URLs of databases that somebody else runs, by database; secret. */
  readonly externalUrls: Readonly<Record<string, string>>;
  /** Host names by service. */
  readonly domains: Readonly<Record<string, string>>;
  /** Code of each service that has a source, with the identity of its content at this moment. */
  readonly code: Readonly<Record<string, { readonly source: Source; readonly fingerprint: Fingerprint }>>;
  /** What every app of the stack shares. */
  readonly stackSettings: StackSettings;
}

/** Settings of the stack as a whole, the project's own keys. */
export interface StackSettings {
  /** Secret: where alerts are posted. */
  readonly alertWebhook: string | undefined;
  /** Secret: base URL that successful jobs call. */
  readonly pingUrl: string | undefined;
  readonly releasesKept: number;
  readonly objectStore: ObjectStore;
}
