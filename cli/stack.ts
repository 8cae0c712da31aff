import { didYouMean } from "../components/problems";
import type { ConfigEntry, StackConfig } from "../components/settings";
import { closest } from "../components/values/closest";
import { DriverError } from "../drivers/error";
import { ensureEngine, type Engine } from "../engine";
import { run, type RunOptions, type RunResult } from "../engine/process";

/** Which stack a call is about. */
export interface StackChoice {
  /** As `--stack` takes it. Left out: PULUMI_STACK, else the selected one. */
  readonly stack: string | undefined;
  /** Folder of Pulumi.yaml, or one below it. */
  readonly cwd: string;
}

/**
 * The stack's configuration, decrypted, as the program gets it from the engine. Nothing of it is kept.
 * @throws DriverError saying what pulumi lacks
 */
export async function loadConfig(choice: StackChoice): Promise<StackConfig> {
  const { name, onStack, ask } = await chosen(choice);
  const [config, selected] = await Promise.all([
    ask(["config", "--show-secrets", "--json", ...onStack]),
    name === undefined ? ask(["stack", "--show-name"]) : undefined,
  ]);
  if (selected !== undefined && selected.code !== 0) throw await explain(selected, choice, name, ask);
  if (config.code !== 0) throw await explain(config, choice, name, ask);
  // The program is given the bare name, without organization and project.
  const stack = (name ?? selected?.stdout ?? "").trim().split("/").at(-1) ?? "";
  return { stack, entries: parseConfig(config.stdout) };
}

/**
 * What the deployed stack tells, secrets in plain text; nothing of it is kept. Empty where it was never deployed.
 * @throws DriverError saying what pulumi lacks
 */
export async function loadOutputs(choice: StackChoice): Promise<Readonly<Record<string, unknown>>> {
  const { name, onStack, ask } = await chosen(choice);
  const told = await ask(["stack", "output", "--show-secrets", "--json", ...onStack]);
  if (told.code !== 0) throw await explain(told, choice, name, ask);
  return JSON.parse(told.stdout) as Readonly<Record<string, unknown>>;
}

/** The stack that a call is about, undefined for the selected one, and how pulumi is asked about it. */
export interface ChosenStack {
  readonly name: string | undefined;
  /** Arguments that name it. */
  readonly onStack: readonly string[];
  readonly ask: Ask;
}

export async function chosen({ stack, cwd }: StackChoice): Promise<ChosenStack> {
  const engine = await ensureEngine();
  const name = stack ?? nonEmpty(process.env["PULUMI_STACK"]);
  return {
    name,
    onStack: name === undefined ? [] : ["--stack", name],
    ask: (args, options) => pulumi(engine, cwd, args, options),
  };
}

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/** What `pulumi config --json` prints. Values of lists and objects are JSON in `value`, as the program gets them. */
export function parseConfig(text: string): Map<string, ConfigEntry> {
  const raw = JSON.parse(text) as Record<string, { readonly value?: string; readonly secret?: boolean }>;
  return new Map(
    Object.entries(raw).map(([key, { value, secret }]) => [key, { value: value ?? "", secret: secret ?? false }]),
  );
}

function pulumi(engine: Engine, cwd: string, args: readonly string[], options: AskOptions = {}): Promise<RunResult> {
  const { PATH } = engine.env;
  // A home of the user's own holds the login to the backend; ours is for engines that have none.
  const env = {
    ...engine.env,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...process.env,
    ...(PATH === undefined ? {} : { PATH }),
  };
  return run(engine.pulumi, [...args, "--non-interactive", "--color", "never"], {
    ...{ cwd, env, timeout: 60_000 },
    ...options,
  });
}

/** What a call of pulumi is given besides its arguments; it has a minute unless said otherwise. */
type AskOptions = Pick<RunOptions, "input" | "timeout">;
export type Ask = (args: readonly string[], options?: AskOptions) => Promise<RunResult>;

/** What a person is told of a call of pulumi that has failed. */
export async function explain(
  result: RunResult,
  { cwd }: StackChoice,
  name: string | undefined,
  ask: Ask,
): Promise<DriverError> {
  const why = result.stderr
    .split("\n")
    .map((line) => line.replace(/^error: /, "").trim())
    .filter((line) => line !== "")
    .join(" ");
  const where = `the stack ${name ?? "that is selected"}, in ${cwd}`;
  const tell = (what: string, fix: string): DriverError => new DriverError({ what, where, why, fix });
  if (/no stack selected/.test(why)) {
    return tell("No stack is selected.", `add --stack NAME, or choose one: pulumi stack select${await known(ask)}`);
  }
  if (/no stack named/.test(why)) {
    const near = closest(name ?? "", await stackNames(ask));
    return tell(
      `There is no stack "${name ?? ""}"${didYouMean(near)}`,
      `pulumi stack ls shows those that there are${await known(ask)}`,
    );
  }
  if (/passphrase/.test(why)) {
    return tell(
      "The stack's secrets can't be decrypted.",
      "give the passphrase as for `pulumi up`: export PULUMI_CONFIG_PASSPHRASE_FILE=FILE, or PULUMI_CONFIG_PASSPHRASE",
    );
  }
  if (/no Pulumi project found|no Pulumi\.yaml/i.test(why)) {
    return tell("There is no Pulumi project.", "name its folder: homeport --cwd DIR");
  }
  if (/login|logged in|access token/i.test(why)) return tell("Pulumi isn't logged in to its backend.", "pulumi login");
  return tell("The stack's configuration can't be read.", "see whether `pulumi config` works here");
}

async function stackNames(ask: Ask): Promise<string[]> {
  const list = await ask(["stack", "ls", "--json"]);
  if (list.code !== 0) return [];
  return (JSON.parse(list.stdout) as { readonly name: string }[]).map(({ name }) => name);
}

async function known(ask: Ask): Promise<string> {
  const names = await stackNames(ask);
  return names.length === 0 ? "" : ` (${names.join(", ")})`;
}
