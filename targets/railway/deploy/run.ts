import type { DriverIo } from "../../../drivers/driver";
import { DriverError } from "../../../drivers/error";
import type { Deadline, World } from "../../../drivers/http";
import { Railway } from "../api/railway";
import type { RailwaySpec } from "../plan";

/** One run of the driver: what its parts share. */
export class Run {
  readonly railway: Railway;
  /** What was done, in order. */
  readonly changes: string[] = [];
  /** The workspace's id, once it was asked for. */
  workspaceId?: string;

  constructor(
    readonly spec: RailwaySpec,
    private readonly io: Pick<DriverIo, "progress" | "signal">,
    world?: World,
  ) {
    this.railway = new Railway(spec.connection, io, secretsOf(spec), world);
  }

  /** Whether the run is being ended from outside: then nothing is undone, which the next run does. */
  isEnding(): boolean {
    return this.io.signal.aborted;
  }

  tell(line: string): void {
    this.io.progress(this.railway.client.redact(line));
  }

  changed(line: string): void {
    this.changes.push(line);
    this.tell(line);
  }

  /** @returns false where the deadline comes first */
  pause(ms: number, deadline: Deadline): Promise<boolean> {
    return this.railway.client.pause(ms, deadline);
  }

  /** An error about this app's place on Railway. */
  error(what: string, why: string, fix: string): DriverError {
    const { project, environment } = this.spec;
    const where = `environment ${environment} of Railway project ${project}`;
    return new DriverError({ what, where, why: this.railway.client.redact(why), fix });
  }
}

const secretsOf = ({ pepper, services }: RailwaySpec): string[] => [
  pepper,
  ...services.flatMap(({ secrets, variables }) => secrets.map((name) => variables[name] ?? "")),
];
