/** A resource that an engine was making when it was killed: what became of it, the stack's state doesn't know. */
export interface PendingCreation {
  readonly urn: string;
  /** Token of its type, `aws:iam/role:Role`. */
  readonly type: string;
  /** As the program names it. */
  readonly name: string;
  /** As the program gave them. Secret ones are as the state keeps them, encrypted. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The latest time of which it is known that it wasn't begun yet. */
  readonly since?: Date;
}

/** Something on a platform that the pending creation may have made. */
export interface Candidate {
  /** The resource's id, as the provider keeps it in the state. */
  readonly id: string;
  /** As `pulumi import` takes it, where that isn't the id. */
  readonly importId?: string;
  /** The command by which a person takes it away, where several were found. */
  readonly remove: string;
  /** What the provider remembers of a resource and can't read back: the state to begin with. @default it reads all */
  readonly state?: Readonly<Record<string, unknown>>;
  /** Does what the provider would have done next, and reading back wouldn't show to be missing. */
  readonly finish?: () => Promise<void>;
}

/** What a target knows of a pending creation. */
export type Search =
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  /** Made again, it is what it was: nothing has to be found. */
  | { readonly kind: "repeatable" };
