import { policy, type PolicyDocument } from "../document";

/** Where GitHub's tokens come from (GitHub Docs, "Configuring OpenID Connect in Amazon Web Services"). */
export const tokenHost = "token.actions.githubusercontent.com";

/** Whose tokens a role accepts: `subjects` are whole `sub` claims, without wildcards. */
export function trustGithub(providerArn: string, subjects: readonly string[]): PolicyDocument {
  return policy({
    Sid: "Github",
    Effect: "Allow",
    Principal: { Federated: providerArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${tokenHost}:aud`]: "sts.amazonaws.com", [`${tokenHost}:sub`]: subjects } },
  });
}

/**
 * Runs that may preview: of pull requests, which GitHub gives a token to only where they come from the repository itself,
 * and of the branch. A job with an environment has neither claim (GitHub Docs, "OpenID Connect reference").
 */
export const previewSubjects = (repository: string, branch: string): string[] => [
  `repo:${repository}:pull_request`,
  `repo:${repository}:ref:refs/heads/${branch}`,
];

/** Jobs of the environment alone: they have passed its approval. */
export const upSubjects = (repository: string, environment: string): string[] => [
  `repo:${repository}:environment:${environment}`,
];
