import type { ExportedResource, ExportedStack } from "./recoverState";

/** A place that an app is deployed to, as the stack's state knows it. */
interface Home {
  readonly target: string;
  /** The name of the host, where the target has several. */
  readonly host?: string;
  /** In the words of a preview: `guestbook-dev in fra of personal`. */
  readonly words?: string;
}

/** Where a stack's state has an app, by its commands: one a place (targets/*\/home.ts). */
function homesOf({ deployment }: ExportedStack, app: string, targets: readonly string[]): Home[] {
  const commands = (deployment?.resources ?? []).filter(
    ({ type, delete: isOld }) => type === "command:local:Command" && isOld !== true,
  );
  return commands.flatMap((one): Home[] => {
    const name = one.urn.split("::").slice(3).join("::");
    const target = targets.find((each) => name === `${app}-${each}` || name.startsWith(`${app}-${each}-`));
    if (target === undefined || !one.urn.includes("homeport:index:App$")) return [];
    const host = name.slice(`${app}-${target}-`.length);
    const words = wordsOf(one, target);
    return [{ target, ...(host === "" ? {} : { host }), ...(words === undefined ? {} : { words }) }];
  });
}

/** The first thing that a preview shows of the place; what follows a semicolon is about changing it. */
function wordsOf({ inputs }: ExportedResource, target: string): string | undefined {
  const environment = inputs?.["environment"];
  if (typeof environment !== "object" || environment === null) return undefined;
  const told = environment as Readonly<Record<string, unknown>>;
  const words = told[`HOMEPORT_${target.toUpperCase()}`] ?? told["HOMEPORT_HOST"];
  return typeof words === "string" ? words.split(";")[0] : undefined;
}

/**
 * Where an app still is that has another place by now: until an `up` has made it there, and has removed it here.
 * @param place the present one, `main (203.0.113.7)` for a host
 */
export function elsewhere(
  state: ExportedStack,
  app: { readonly name: string; readonly target: string | undefined; readonly place: string },
  targets: readonly string[],
): string[] {
  return homesOf(state, app.name, targets)
    .filter(({ target, host }) => target !== app.target || (host !== undefined && host !== app.place.split(" ")[0]))
    .map(({ target, host, words }) => `${target} (${words ?? host ?? "its place isn't told"})`);
}
