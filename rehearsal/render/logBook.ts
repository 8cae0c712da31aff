import { randomUUID } from "node:crypto";

/** One line that a service's container, build or command wrote. */
export interface LogLine {
  readonly number: number;
  readonly id: string;
  readonly at: number;
  /** The service's, job's or database's id. */
  readonly resource: string;
  /** `build` or `app`, as the API's labels have it. */
  readonly type: string;
  readonly instance: string;
  readonly level: string;
  readonly message: string;
}

/** The last lines of all services. */
export class LogBook {
  private lines: LogLine[] = [];
  private count = 0;
  private last = 0;

  constructor(private readonly now: () => number) {}

  add(resource: string, message: string, more: Partial<Pick<LogLine, "type" | "instance" | "level">> = {}): void {
    const { type = "app", instance = "", level = "info" } = more;
    // No two lines at one time, so that a page's end is a line's own.
    this.last = Math.max(this.last + 1, this.now());
    const line = { number: ++this.count, id: randomUUID(), at: this.last, resource, type, instance, level, message };
    this.lines.push(line);
    if (this.lines.length > 20_000) this.lines = this.lines.slice(-10_000);
  }

  /** Lines of some resources, oldest first. */
  of(resources: readonly string[]): readonly LogLine[] {
    return this.lines.filter((line) => resources.includes(line.resource));
  }
}
