import type { Candidate, PendingCreation, Search } from "../targets/recovery";

/** A resource as `pulumi stack export` has it (sdk/go/common/apitype, ResourceV3): what is read here, the rest is kept. */
export interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  /** True for what a replacement has left to be deleted. */
  readonly delete?: boolean;
  readonly id?: string;
  readonly parent?: string;
  /** `<urn>::<id>`. */
  readonly provider?: string;
  readonly dependencies?: readonly string[];
  /** Dependencies by input. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** RFC 3339. */
  readonly created?: string;
}

export interface ExportedStack {
  readonly deployment?: {
    readonly resources?: readonly ExportedResource[];
    readonly pending_operations?: readonly { readonly resource: ExportedResource; readonly type: string }[];
  };
}

/** A creation that nobody knows the end of. */
export interface Begun extends PendingCreation {
  readonly resource: ExportedResource;
  /** Whether a later run has made it after all, or one from before is to be replaced by it. */
  readonly made: boolean;
}

/** An update, a removal or a reading that was cut off. The state has the resource as it was before. */
export interface CutOff {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** As the engine calls it: `updating`, `deleting`, `reading`. */
  readonly operation: string;
  /**
   * `run`: marked, so that the next `up` runs it even where the program has gone back to what the state says. `read`: its
   * provider reads back how far it came. `leave`: the next `up` finds by itself what there is to do.
   */
  readonly means: "run" | "read" | "leave";
}

/** What an engine that was killed has left in the stack's state. */
export interface Leftovers {
  readonly begun: readonly Begun[];
  readonly cutOff: readonly CutOff[];
  /** Resources that an earlier recovery took in and was cut off before it could read them. */
  readonly unread: readonly string[];
  /** Ids of all that the state has, by type. */
  readonly known: ReadonlyMap<string, ReadonlySet<string>>;
}

export function leftoversOf({ deployment }: ExportedStack): Leftovers {
  const resources = deployment?.resources ?? [];
  const byUrn = new Map(resources.filter((one) => one.delete !== true).map((one) => [one.urn, one]));
  const known = new Map<string, Set<string>>();
  for (const { type, id } of resources) {
    if (id !== undefined) known.set(type, new Set([...(known.get(type) ?? []), id]));
  }
  const pending = deployment?.pending_operations ?? [];
  const creations = new Map(
    pending.filter(({ type }) => type === "creating").map(({ resource }) => [resource.urn, resource]),
  );
  const others = new Map(
    pending
      .filter(({ type }) => type !== "creating")
      .map(({ resource, type }) => [resource.urn, cutOffOf(resource, type, byUrn)]),
  );
  return {
    begun: [...creations.values()].map((resource) => begunOf(resource, byUrn)),
    cutOff: [...others.values()],
    unread: [...byUrn.values()]
      .filter(
        ({ custom, id, outputs }) => custom === true && id !== undefined && Object.keys(outputs ?? {}).length === 0,
      )
      .filter(({ type }) => !type.startsWith("pulumi:"))
      .map(({ urn }) => urn),
    known,
  };
}

function begunOf(resource: ExportedResource, byUrn: ReadonlyMap<string, ExportedResource>): Begun {
  const { urn, type, inputs = {}, parent, provider, dependencies = [] } = resource;
  // All of these were there before it was begun.
  const before = [parent, provider?.slice(0, provider.lastIndexOf("::")), ...dependencies];
  const times = before.flatMap((one) => byUrn.get(one ?? "")?.created ?? []).map((time) => Date.parse(time));
  const since = Math.max(...times.filter((time) => !Number.isNaN(time)));
  return {
    ...{ urn, type, inputs, resource, name: nameOf(urn), made: byUrn.has(urn) },
    ...(Number.isFinite(since) ? { since: new Date(since) } : {}),
  };
}

function cutOffOf(
  { urn, type }: ExportedResource,
  operation: string,
  byUrn: ReadonlyMap<string, ExportedResource>,
): CutOff {
  const isChange = byUrn.has(urn) && (operation === "updating" || operation === "deleting");
  const isCommand = type === "command:local:Command" && operation === "updating";
  const means = !isChange ? "leave" : isCommand ? "run" : isRepeatable({ type }) ? "leave" : "read";
  return { urn, type, operation, means, name: nameOf(urn) };
}

/** A URN's last part is the resource's name (Pulumi docs, "Resource names"). */
const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

/**
 * Packages of which a creation may be made again: commands run drivers, which find what there is; random values and
 * providers are nowhere but in the state.
 */
const repeatablePackages = ["command", "random", "pulumi", "docker"];

export const isRepeatable = ({ type }: Pick<PendingCreation, "type">): boolean =>
  repeatablePackages.includes(type.split(":")[0] ?? "");

/** What becomes of a pending creation. */
export type Verdict =
  /** It is there, and belongs into the state. */
  | { readonly kind: "found"; readonly candidate: Candidate }
  /** The next `up` makes it. */
  | { readonly kind: "absent" }
  | { readonly kind: "again" }
  | { readonly kind: "several"; readonly candidates: readonly Candidate[] }
  /** The state has it already; besides it there may be what the killed run has made. */
  | { readonly kind: "made"; readonly surplus: readonly Candidate[] }
  /** No target knows such a type. */
  | { readonly kind: "unknown" };

/** @param known ids of this type that the state has already */
export function verdictOn(
  { made }: Pick<Begun, "made">,
  search: Search | undefined,
  known: ReadonlySet<string>,
): Verdict {
  const candidates = search?.kind === "candidates" ? search.candidates.filter(({ id }) => !known.has(id)) : [];
  if (made) return { kind: "made", surplus: candidates };
  if (search === undefined) return { kind: "unknown" };
  if (search.kind === "repeatable") return { kind: "again" };
  const [candidate] = candidates;
  if (candidate === undefined) return { kind: "absent" };
  return candidates.length === 1 ? { kind: "found", candidate } : { kind: "several", candidates };
}

/**
 * The state with what was found as resources of it and without pending operations: those on what is in the state already,
 * updates and deletions, are begun anew by the next `up`, and the engine itself forgets them as soon as it writes the state
 * again (pkg/backend/snapshot.go of 3.220.0 carries on nothing but creations). What is taken in has the state that the candidate brings, else
 * none, which has the provider read it as in an import. The engine's own `refresh --import-pending-creates` forgets the
 * resource instead (tried with 3.220.0).
 */
export function takeIn<Stack extends ExportedStack>(
  stack: Stack,
  found: readonly { readonly resource: ExportedResource; readonly candidate: Candidate }[],
): Stack {
  const { deployment = {} } = stack;
  const resources = [...(deployment.resources ?? [])];
  const urns = new Set(resources.map(({ urn }) => urn));
  for (const { resource, candidate } of found) {
    resources.push({
      ...amongThese(resource, urns),
      id: candidate.importId ?? candidate.id,
      ...(candidate.state === undefined ? {} : { outputs: candidate.state }),
    });
    urns.add(resource.urn);
  }
  return { ...stack, deployment: { ...deployment, resources, pending_operations: [] } };
}

/** The engine takes no state with a reference to what isn't there; a later run may have taken that away. */
function amongThese(resource: ExportedResource, urns: ReadonlySet<string>): ExportedResource {
  const { parent, dependencies, propertyDependencies, ...rest } = resource;
  const there = (all: readonly string[]): string[] => all.filter((urn) => urns.has(urn));
  return {
    ...rest,
    ...(parent === undefined || !urns.has(parent) ? {} : { parent }),
    ...(dependencies === undefined ? {} : { dependencies: there(dependencies) }),
    ...(propertyDependencies === undefined
      ? {}
      : {
          propertyDependencies: Object.fromEntries(
            Object.entries(propertyDependencies).map(([input, all]) => [input, there(all)]),
          ),
        }),
  };
}
