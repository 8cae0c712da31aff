import { archives } from "./deployer/archives";
import { databases } from "./deployer/databases";
import { identity } from "./deployer/identity";
import { machines } from "./deployer/machines";
import { attributes, lookups, publicParameters, regional, type GithubScope } from "./deployer/scope";
import { state } from "./deployer/state";
import { watching } from "./deployer/watching";
import { allow, policy, type PolicyDocument, type Statement } from "./document";

export type { Existing, GithubScope } from "./deployer/scope";
export { roleSession } from "./deployer/session";
export { previewSubjects, tokenHost, trustGithub, upSubjects } from "./deployer/trust";

/**
 * Reads AWS, and locks the state as Pulumi does for a preview, too. It changes nothing and sees no object of the apps.
 * @returns undefined where there is nothing to read: no app is on EC2, and the state isn't on AWS
 */
export function previewPolicy(scope: GithubScope): PolicyDocument | undefined {
  return some(
    ...(scope.hosts
      ? [allow("LookUp", lookups, "*", regional(scope)), attributes(scope), publicParameters(scope)]
      : []),
    ...state(scope, "locks"),
  );
}

/** A role's policies by their names. */
export type UpPolicies = Readonly<Partial<Record<"machines" | "surroundings" | "databases", PolicyDocument>>>;

/**
 * What `pulumi up` makes, changes and deletes: by the stack's tag where a thing has tags, by its names' prefix elsewhere.
 * Of a stack without apps on EC2, the state.
 *
 * A managed policy may have 6,144 characters, and a role has 10 of them (IAM user guide, "IAM and AWS STS quotas"). So
 * statements have no names, and nothing is taken back that a later deploy seldom needs, such as tags.
 */
export function upPolicies(scope: GithubScope): UpPolicies {
  const named = (name: keyof UpPolicies, ...statements: readonly Statement[]): UpPolicies => {
    const document = some(...statements.map(nameless));
    return document === undefined ? {} : { [name]: document };
  };
  if (!scope.hosts) return named("surroundings", ...state(scope, "all"));
  return {
    ...named("machines", ...machines(scope), publicParameters(scope)),
    ...named("surroundings", ...identity(scope), ...archives(scope), ...watching(scope), ...state(scope, "all")),
    ...named("databases", ...(scope.managed ? databases(scope) : [])),
  };
}

const some = (...statements: readonly Statement[]): PolicyDocument | undefined =>
  statements.length === 0 ? undefined : policy(...statements);

function nameless(statement: Statement): Statement {
  const { Sid, ...rest } = statement;
  return Sid === undefined ? statement : rest;
}
