import type { ExportedResource, ExportedStack } from "./recoverState";

/** What the mark is called where a preview shows it. */
export const repairMark = "HOMEPORT_REPAIR";

/** The key that the engine wraps a secret value with in its exports (sdk/go/common/resource, SigKey). */
const secretKey = "4dabf18193072939515e22adb298388d";

/**
 * The state in which an app's commands were run with one more variable than the program gives them: the engine finds them changed,
 * once, and runs them.
 * @param command name of the app's command, `hotrod-fly`, or what its names begin with, `shopifly-vps-` and the host
 * @returns undefined where there is none
 */
export function markForRepair(exported: ExportedStack, command: string, now: Date): ExportedStack | undefined {
  const isMeant = ({ urn, type, delete: isOld }: ExportedResource): boolean => {
    const name = urn.split("::").slice(3).join("::");
    return type === "command:local:Command" && isOld !== true && (name === command || name.startsWith(`${command}-`));
  };
  if (!(exported.deployment?.resources ?? []).some(isMeant)) return undefined;
  return markCommands(exported, isMeant, `asked for at ${now.toISOString()}`);
}

/** The same for commands that are told by something else. @param why the mark's value, which a preview shows */
export function markCommands<Stack extends ExportedStack>(
  exported: Stack,
  isMeant: (resource: ExportedResource) => boolean,
  why: string,
): Stack {
  const { deployment } = exported;
  const mark = (values: ExportedResource["inputs"] = {}) => {
    const environment = values["environment"] as Readonly<Record<string, unknown>> | undefined;
    // What is secret as a whole takes no further variable; the program gives all of it again.
    const given = environment === undefined || Object.hasOwn(environment, secretKey) ? {} : environment;
    return { ...values, environment: { ...given, [repairMark]: why } };
  };
  return {
    ...exported,
    deployment: {
      ...deployment,
      resources: (deployment?.resources ?? []).map((one) =>
        isMeant(one) ? { ...one, inputs: mark(one.inputs), outputs: mark(one.outputs) } : one,
      ),
    },
  };
}
