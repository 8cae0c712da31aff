import type { Run } from "./run";

/** As long as flyctl's own tokens live, 20 years: a schedule must not end because nobody deployed. */
const expiry = "175200h";

const form = /^@@deploy-token:([a-z0-9-]+)@@$/;

/** Stands in a plan's secrets for a token that may change this one app and nothing else. */
export const deployToken = (app: string): string => `@@deploy-token:${app}@@`;

/** Asks for the tokens that secrets are to hold. Called only when they are set, as each call makes another token. */
export async function withTokens(run: Run, secrets: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const filled: Record<string, string> = { ...secrets };
  for (const [name, value] of Object.entries(secrets)) {
    const app = form.exec(value)?.[1];
    if (app === undefined) continue;
    // A token whose answer is lost is known to nobody, so asking again does no harm.
    const { token } = await run.fly.call<{ token: string }>("POST", `/apps/${app}/deploy_token`, {
      body: { expiry },
      idempotent: true,
    });
    run.hide(token);
    filled[name] = token;
  }
  return filled;
}
