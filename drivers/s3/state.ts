import type { LifecycleRule, PublicAccessBlockConfiguration } from "@aws-sdk/client-s3";

/** A statement of a bucket policy, as JSON. */
export type Statement = Readonly<Record<string, unknown>>;

/** A bucket policy, as JSON. */
export interface Policy {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement: readonly Statement[];
}

/** A lifecycle rule; older ones say `Prefix` where newer ones have a `Filter`. */
export type Rule = Omit<LifecycleRule, "Prefix"> & { readonly Prefix?: string | undefined };

/** In the place of a setting that the store doesn't know. */
export const unsupported = Symbol("unsupported");

/** A setting of a bucket: undefined where it isn't set. */
export type Setting<T> = T | undefined | typeof unsupported;

/** A bucket as it is. */
export interface BucketState {
  readonly tags: Setting<Readonly<Record<string, string>>>;
  readonly publicAccess: Setting<PublicAccessBlockConfiguration>;
  /** `BucketOwnerEnforced` turns access lists off. */
  readonly ownership: Setting<string>;
  /** Algorithm of the default encryption, such as AES256 or aws:kms. */
  readonly encryption: Setting<string>;
  readonly versioning: Setting<string>;
  readonly policy: Setting<Policy>;
  readonly lifecycle: Setting<readonly Rule[]>;
}
