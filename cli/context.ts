import type { App } from "../components/app";
import type { Operations } from "../targets/operations";
import type { Target } from "../targets/target";
import { placedApp, stackApp } from "./find";
import { placeApps, type StackApp, type StackApps } from "./placed";
import type { ExportedStack } from "./recoverState";
import { chosen, loadConfig, loadOutputs, type StackChoice } from "./stack";
import { readState } from "./stackState";
import { painter, type Paint } from "./table";

/** What a verb works with: the call's words, the stack when it is needed, and where to print. */
export class Context {
  private loading: Promise<StackApps> | undefined;
  private asking: Promise<Readonly<Record<string, unknown>>> | undefined;
  readonly paint: Paint = painter(process.stdout.isTTY);

  constructor(
    readonly positionals: readonly string[],
    readonly rest: readonly string[],
    readonly flags: ReadonlySet<string>,
    readonly values: ReadonlyMap<string, string>,
    readonly apps: readonly App[],
    readonly targets: readonly Target[],
    readonly choice: StackChoice,
  ) {}

  /** The stack's apps; read once. */
  stack(): Promise<StackApps> {
    this.loading ??= loadConfig(this.choice).then((config) => placeApps(this.apps, this.targets, config));
    return this.loading;
  }

  /** What the engine knows of the stack; secrets in it are encrypted. */
  async state(): Promise<ExportedStack> {
    return readState(await chosen(this.choice), this);
  }

  /** The app that the first word names, in this stack. */
  async app(): Promise<StackApp> {
    return stackApp(await this.stack(), this.positionals[0] ?? "");
  }

  /** Day-two work on an app of the stack. */
  async operate(app: StackApp): Promise<Operations> {
    const { config } = await this.stack();
    const placed = placedApp(app, config.stack);
    return placed.target.operate(placed, config, () => this.outputsOf(placed.target.name));
  }

  private async outputsOf(target: string): Promise<unknown> {
    this.asking ??= loadOutputs(this.choice);
    return (await this.asking)[target];
  }

  out(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.out(JSON.stringify(value, null, 2));
  }
}
