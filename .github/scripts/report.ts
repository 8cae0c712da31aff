import { createHash } from "node:crypto";
import { changedFields, type Field, type Step } from "./fields";
import { withoutCredentials } from "./masks";

/** What happens to a resource, the most dangerous first, as it is listed. */
export const kinds = ["delete", "replace", "update", "create", "other"] as const;
export type Kind = (typeof kinds)[number];

/** One resource that a deploy would touch. */
export interface Change {
  readonly kind: Kind;
  readonly urn: string;
  /** Empty where the resource comes or goes as a whole. */
  readonly fields: readonly Field[];
}

/** What a preview told of a stack: the changes, or why there can be none. It holds no secret and may be published. */
export interface Report {
  readonly stack: string;
  readonly changes: readonly Change[];
  /** Resources that stay as they are. */
  readonly unchanged: number;
  /** Errors as a person reads them. Left out where the preview succeeded. */
  readonly refusal?: string;
  /** Equal for two previews that would do the same. Values of secrets aren't part of it. */
  readonly fingerprint: string;
}

/** What `pulumi preview --json` prints, as far as it is read here: `PreviewDigest` of its pkg/display. */
interface Digest {
  readonly steps?: readonly Step[];
  readonly diagnostics?: readonly { readonly message: string; readonly severity: string }[];
  readonly changeSummary?: Readonly<Record<string, number>>;
}

/** How a call of `pulumi` ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Replacing takes several steps of the engine's; a resource that goes through them is replaced. */
const kindOfStep: Readonly<Record<string, Kind>> = {
  create: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
};

/** Reads what `pulumi preview --json` ended with. */
export function reportOf(stack: string, { code, stdout, stderr }: Ended): Report {
  const digest = parse(stdout);
  const steps = (digest?.steps ?? []).filter(({ op }) => op !== "same");
  const changes = inOrder(steps);
  const report = { stack, changes, unchanged: digest?.changeSummary?.["same"] ?? 0, fingerprint: fingerprintOf(steps) };
  if (code === 0 && digest !== undefined) return report;
  return { ...report, refusal: refusalOf(stack, digest, stderr) };
}

/** A stack that could not even be asked. */
export const refused = (stack: string, refusal: string): Report => ({
  ...{ stack, changes: [], unchanged: 0, fingerprint: "" },
  refusal,
});

function parse(text: string): Digest | undefined {
  try {
    return JSON.parse(text) as Digest;
  } catch {
    return undefined;
  }
}

function inOrder(steps: readonly Step[]): Change[] {
  const changes = new Map<string, Change>();
  for (const step of steps) {
    const kind = kindOfStep[step.op] ?? "other";
    const before = changes.get(step.urn);
    const fields = kind === "create" || kind === "delete" ? [] : changedFields(step);
    if (before === undefined || before.fields.length < fields.length)
      changes.set(step.urn, { kind, urn: step.urn, fields });
  }
  return [...changes.values()].sort((one, two) => kinds.indexOf(one.kind) - kinds.indexOf(two.kind));
}

/** The engine's own order isn't the same in each run. */
function fingerprintOf(steps: readonly Step[]): string {
  const lines = steps.map(({ op, urn, newState }) => JSON.stringify([op, urn, newState?.inputs ?? null]));
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

function refusalOf(stack: string, digest: Digest | undefined, stderr: string): string {
  const told = (digest?.diagnostics ?? []).filter(({ severity }) => severity === "error").map(({ message }) => message);
  const text = (told.length > 0 ? told.join("\n") : stderr).replaceAll(/^error: /gm, "").trim();
  const fix = known.find(({ sign }) => sign.test(text))?.fix(stack);
  const whole = text === "" ? "pulumi ended with a failure and said nothing." : text;
  return withoutCredentials(fix === undefined ? whole : `${whole}\n   fix: ${fix}`);
}

/** What the engine says of a repository that isn't set up, and what mends it. */
const known: readonly { readonly sign: RegExp; readonly fix: (stack: string) => string }[] = [
  { sign: /no stack named/, fix: (stack) => `pulumi stack init ${stack}, once, with the same backend` },
  {
    sign: /passphrase/,
    fix: () => "gh secret set PULUMI_CONFIG_PASSPHRASE; for Dependabot's runs, with --app dependabot",
  },
  {
    sign: /PULUMI_ACCESS_TOKEN|logged in|pulumi login/,
    fix: () => "gh variable set PULUMI_BACKEND_URL, or gh secret set PULUMI_ACCESS_TOKEN",
  },
  {
    sign: /NoCredentialProviders|no valid credential|ExpiredToken|get credentials/i,
    fix: () => "gh variable set AWS_PREVIEW_ROLE_ARN and AWS_UP_ROLE_ARN with the outputs of `pulumi up`",
  },
  {
    sign: /currently locked/,
    fix: (stack) => `wait for the run that holds the lock; if there is none any more: pulumi cancel --stack ${stack}`,
  },
];
