import { archives } from "./deployer/archives";
import { databases } from "./deployer/databases";
import { identity } from "./deployer/identity";
import { machines } from "./deployer/machines";
import { attributes, lookups, publicParameters, regional, type GithubScope } from "./deployer/scope";
import { state } from "./deployer/state";
import { watching } from "./deployer/watching";
import { allow, policy, type PolicyDocument, type Statement } from "./document";

export type { GithubScope } from "./deployer/scope";
export { previewSubjects, tokenHost, trustGithub, upSubjects } from "./deployer/trust";

/** Reads AWS, and locks the state as Pulumi does for a preview, too. It changes nothing and sees no object of the apps. */
export function previewPolicy(scope: GithubScope): PolicyDocument {
  return policy(
    allow("LookUp", lookups, "*", regional(scope)),
    attributes(scope),
    publicParameters(scope),
    ...state(scope, "locks"),
  );
}

/**
 * What `pulumi up` makes, changes and deletes: by the stack's tag where a thing has tags, by its names' prefix elsewhere.
 *
 * A role's policies may have 10,240 characters in all (IAM user guide, "IAM and AWS STS quotas"). So statements have no
 * names, and nothing is taken back that a later deploy seldom needs, such as tags.
 */
export function upPolicies(scope: GithubScope): Record<"machines" | "surroundings", PolicyDocument> {
  return {
    machines: nameless(...machines(scope)),
    surroundings: nameless(
      ...identity(scope),
      ...archives(scope),
      ...watching(scope),
      ...(scope.managed ? databases(scope) : []),
      publicParameters(scope),
      ...state(scope, "all"),
    ),
  };
}

const nameless = (...statements: readonly Statement[]): PolicyDocument =>
  policy(
    ...statements.map((statement) => {
      const { Sid, ...rest } = statement;
      return Sid === undefined ? statement : rest;
    }),
  );
