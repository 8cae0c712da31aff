import { ask, GitHubError, patiently, type Repository } from "./api";
import { annotate, needed, repository, start, SetUpError } from "./runner";

/** "Get an environment" of GitHub's REST API. */
interface Environment {
  readonly protection_rules?: readonly { readonly type: string; readonly reviewers?: readonly unknown[] }[];
}

/**
 * Why deploys to an environment would wait for nobody; undefined where they wait. GitHub makes an environment that isn't there
 * when a job names it, without any rule, and on plans that have no reviewers it keeps none.
 */
export async function unguarded(at: Repository, environment: string, pauseMs?: number): Promise<string | undefined> {
  try {
    const path = `environments/${encodeURIComponent(environment)}`;
    const { body } = await patiently(() => ask(at, "GET", path), pauseMs);
    const rules = (body as Environment).protection_rules ?? [];
    const waits = rules.some(({ type, reviewers }) => type === "required_reviewers" && (reviewers ?? []).length > 0);
    return waits ? undefined : `The environment "${environment}" has no required reviewers.`;
  } catch (error) {
    if (error instanceof GitHubError && error.status === 404) return `There is no environment "${environment}".`;
    throw error;
  }
}

/** Refuses to go on where a deploy would need nobody's approval. */
async function main([environment]: string[]): Promise<number> {
  if (environment === undefined) throw new SetUpError("usage: approval.ts ENVIRONMENT");
  const what = await unguarded(repository(), environment);
  if (what === undefined) return 0;
  const path = `repos/${needed("GITHUB_REPOSITORY")}/environments/${environment}`;
  annotate(
    "error",
    `Nobody would be asked before a deploy to ${environment}`,
    `${what}
   why: Production is deployed after a person's approval, never without one.
   fix: gh api -X PUT ${path} -F 'reviewers[][type]=User' -F "reviewers[][id]=$(gh api user --jq .id)"`,
  );
  return 1;
}

if (require.main === module) start(main);
