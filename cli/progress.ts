import { bytes } from "./units";

export interface ProgressTo {
  readonly write: (text: string) => void;
  /** Whether a line may be written over. */
  readonly terminal: boolean;
  readonly now: () => number;
}

const toStderr: ProgressTo = {
  write: (text) => void process.stderr.write(text),
  terminal: process.stderr.isTTY,
  now: () => Date.now(),
};

/** Milliseconds between two words on one file. */
const often = { terminal: 200, otherwise: 10_000 };

/** Shows how far a file has come, where that takes long enough to be asked. */
export class Progress {
  private sent = 0;
  private shown: number;
  private isOpen = false;

  constructor(
    private readonly name: string,
    private readonly whole: number,
    private readonly to: ProgressTo = toStderr,
  ) {
    this.shown = to.now();
  }

  readonly add = (more: number): void => {
    this.sent += more;
    const { terminal, write, now } = this.to;
    if (now() - this.shown < (terminal ? often.terminal : often.otherwise)) return;
    this.shown = now();
    const percent = this.whole === 0 ? 100 : Math.min(100, Math.floor((100 * this.sent) / this.whole));
    const line = `${this.name}: ${percent} % of ${bytes(this.whole)}`;
    write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
    this.isOpen = terminal;
  };

  /** Begins again, as a second try does. */
  restart(): void {
    this.sent = 0;
  }

  /** Leaves the line to others. */
  end(): void {
    if (this.isOpen) this.to.write("\r\u001b[K");
    this.isOpen = false;
  }
}
