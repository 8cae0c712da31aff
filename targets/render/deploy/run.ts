import type { DriverIo } from "../../../drivers/driver";
import type { Deadline, World } from "../../../drivers/http";
import { Render } from "../api/render";
import type { RenderSpec } from "../plan";

/** One run of the driver: what its parts share. */
export class Run {
  readonly render: Render;
  /** What was done, in order. */
  readonly changes: string[] = [];
  /** What the deploys of one `up` are known by, later ones behind earlier ones: the time of its begin. */
  id: string;

  constructor(
    readonly spec: RenderSpec,
    private readonly io: Pick<DriverIo, "progress" | "signal">,
    world?: World,
  ) {
    this.render = new Render(spec.connection, io, secretsOf(spec), world);
    this.id = new Date(this.render.client.world.now()).toISOString();
  }

  /** Whether the run is being ended from outside: then nothing is undone, which the next run does. */
  isEnding(): boolean {
    return this.io.signal.aborted;
  }

  tell(line: string): void {
    this.io.progress(this.render.client.redact(line));
  }

  changed(line: string): void {
    this.changes.push(line);
    this.tell(line);
  }

  /** Asks until there is an answer, less and less often. @throws ApiError once the deadline has come */
  async poll<T>(deadline: Deadline, ask: () => Promise<T | undefined>): Promise<T> {
    for (let wait = 1_000; ; wait = Math.min(wait * 1.2, 15_000)) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (!(await this.render.client.pause(wait, deadline))) throw this.overdue(deadline);
    }
  }

  private overdue({ what, seconds }: Deadline): Error {
    const message = `${what} took longer than ${seconds} s`;
    return this.render.client.refusal({ kind: "deadline", method: "GET", path: "/services", status: 0, message });
  }
}

/** What no line may show. The connection strings of databases come on the way. */
const secretsOf = ({ pepper, services }: RenderSpec): string[] => [
  pepper,
  ...services.flatMap(({ env, secrets, files, jobSecrets = [] }) => [
    ...secrets.map((name) => env[name] ?? ""),
    ...Object.values(files),
    ...jobSecrets,
  ]),
];
