import { DriverError } from "../../../drivers/error";
import type { Run } from "./run";

/** How one thing that a deploy did is undone. */
export interface UndoStep {
  /** As it is told when it is done. */
  readonly what: string;
  readonly how: () => Promise<void>;
}

/** What a deploy has done so far, to be undone when it fails. */
export class Undo {
  private readonly steps: UndoStep[] = [];

  constructor(
    private readonly run: Run,
    private readonly app: string,
  ) {}

  push(step: UndoStep): void {
    this.steps.push(step);
  }

  /** For what came to nothing. */
  forgetLast(): void {
    this.steps.pop();
  }

  /** Undoes in reverse. What can't be undone now is seen to by the next run, which finds the machines unproven. */
  async all(error: unknown): Promise<void> {
    if (this.run.isEnding()) return;
    for (const { what, how } of this.steps.reverse()) {
      try {
        await how();
        this.run.tell(`${this.app}: ${what}`);
      } catch (again) {
        if (this.run.isEnding()) throw error;
        this.run.tell(`${this.app}: not yet ${what}: ${firstWords(again)}`);
      }
    }
  }
}

/** What went wrong, in a line. */
export const firstWords = (error: unknown): string =>
  error instanceof DriverError ? `${error.parts.what} ${error.parts.why}` : error instanceof Error ? error.message : "";
