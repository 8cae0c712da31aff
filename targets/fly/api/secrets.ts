import { absent } from "./connection";
import type { Fly } from "./fly";

/** Names of the app's secrets; their values never come back. */
export async function secretNames(fly: Fly, app: string): Promise<string[]> {
  type Listed = { secrets?: { name: string }[] | null } | { name: string }[] | null;
  const answer = (await absent(fly.call<Listed>("GET", `/apps/${app}/secrets`))) ?? [];
  const secrets = Array.isArray(answer) ? answer : (answer.secrets ?? []);
  return secrets.map(({ name }) => name);
}

/** Sets and, where the value is null, removes. @returns the version that machines must have to see them */
export async function setSecrets(
  fly: Fly,
  app: string,
  values: Readonly<Record<string, string | null>>,
): Promise<number | undefined> {
  const answer = await fly.call<{ version?: number; Version?: number }>("POST", `/apps/${app}/secrets`, {
    body: { values },
    idempotent: true,
  });
  return answer.version ?? answer.Version;
}
