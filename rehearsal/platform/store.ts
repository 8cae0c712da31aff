import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Keeps an emulator's state in a file, so that it survives the emulator: the old one or the new one, never half of one. */
export class Store<State> {
  readonly state: State;
  private isClosed = false;

  constructor(
    private readonly file: string,
    fresh: () => State,
  ) {
    this.state = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as State) : fresh();
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  }

  /** Keeps the file as it is from now on: whoever goes on after the emulator's end changes nothing. */
  close(): void {
    this.isClosed = true;
  }

  /** Writes the state as it is now. */
  save(): void {
    if (this.isClosed) return;
    const part = `${this.file}.part`;
    // Secrets are in it, as the platform has them.
    writeFileSync(part, JSON.stringify(this.state), { mode: 0o600 });
    renameSync(part, this.file);
  }
}
