import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { instancesOf } from "../../components/check/declaration";
import { hostName } from "../../components/values/names";
import { DriverError } from "../../drivers/error";
import type {
  AppStatus,
  BackupList,
  Finding,
  LogLine,
  LogQuery,
  Operations,
  PlacedApp,
  RestoreSource,
} from "../operations";
import { bytesOf, putCommand, type IncomingFile } from "../putFile";
import type { Host } from "./host";
import { examineHost } from "./operationsExamine";
import { followScript, restoreScript } from "./operationsFollow";
import { parseBackups, parseLogLine } from "./operationsOutput";
import { rollback } from "./operationsRollback";
import { attachedScript, backupsScript, logsScript, restartScript } from "./operationsScripts";
import { attach, capture, feed, follow, stream } from "./operationsSsh";
import { statusOf } from "./operationsStatus";

const defaultStartTimeout = 60;

/** Day-two work on an app of a systemd host: each call is one SSH session. */
export class SystemdOperations implements Operations {
  readonly place: string;
  private readonly id: string;

  constructor(
    private readonly app: PlacedApp,
    private readonly host: Host,
  ) {
    this.id = hostName(app.declaration.name, app.stack);
    this.place = `${host.name} (${host.connection.address})`;
  }

  status(): Promise<AppStatus> {
    return statusOf(this.host.connection, this.id);
  }

  async logs(query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    const script = logsScript({
      units: this.unitsOf(query.part),
      follow: query.follow,
      ...(query.lines === undefined ? {} : { lines: query.lines }),
      ...(query.since === undefined ? {} : { since: Math.floor(query.since.getTime() / 1000) }),
    });
    const show = (line: string): void => {
      const parsed = parseLogLine(this.id, line);
      if (parsed !== undefined) onLine(parsed);
    };
    await stream(this.host.connection, script, show, signal);
  }

  runJob(job: string): Promise<number> {
    return this.followUnit(`job-${job}`, job, job);
  }

  runCommand(command: string, args: readonly string[]): Promise<number> {
    return this.attach(`run/${command}`, args, command);
  }

  exec(service: string, argv: readonly string[]): Promise<number> {
    return this.attach(`exec/${service}`, argv, service);
  }

  put(service: string, file: IncomingFile): Promise<number> {
    const script = attachedScript({
      ...{ id: this.id, program: `exec/${service}`, args: putCommand(file) },
      ...{ name: `${this.app.declaration.name} ${service}`, terminal: false },
    });
    return feed(this.host.connection, script, bytesOf(file));
  }

  backup(database: string): Promise<number> {
    return this.followUnit(`backup-${database}`, `backup of ${database}`, database);
  }

  async backups(): Promise<BackupList> {
    return parseBackups(await capture(this.host.connection, backupsScript(this.id)));
  }

  async restore(database: string, from: RestoreSource): Promise<number> {
    const name = `${this.app.declaration.name} restore of ${database}`;
    const ask = (source: Parameters<typeof restoreScript>[0]["from"]): string =>
      restoreScript({ id: this.id, database, name, from: source });
    if (from.kind !== "file") {
      return follow(this.host.connection, ask({ key: from.kind === "latest" ? "latest" : from.key }));
    }
    const { path } = from;
    await this.checkArchive(database, path);
    const { size } = await stat(path);
    process.stderr.write(`${name}: sends ${path} (${Math.ceil(size / 1024)} KiB)\n`);
    return follow(this.host.connection, ask({ fileName: basename(path), bytes: size }), (stdin) =>
      sendFile(stdin, path),
    );
  }

  async rollback(progress: (line: string) => void): Promise<readonly string[]> {
    const abort = new AbortController();
    const stop = (): void => {
      abort.abort();
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
    try {
      const { declaration, stack } = this.app;
      const { connection } = this.host;
      const where = { connection, app: declaration.name, stack, id: this.id };
      return (await rollback({ ...where, progress, signal: abort.signal })).changes;
    } finally {
      process.removeListener("SIGINT", stop).removeListener("SIGTERM", stop);
    }
  }

  restart(service: string | undefined): Promise<number> {
    const services = this.app.declaration.services
      .filter(({ name }) => service === undefined || name === service)
      .map(({ name, startTimeout }) => ({ name, timeoutSeconds: startTimeout?.toSeconds() ?? defaultStartTimeout }));
    return attach(this.host.connection, () => restartScript({ id: this.id, services }));
  }

  examine(): Promise<readonly Finding[]> {
    return examineHost(this.host.connection);
  }

  private attach(program: string, args: readonly string[], name: string): Promise<number> {
    const call = { id: this.id, program, args, name: `${this.app.declaration.name} ${name}` };
    return attach(this.host.connection, (terminal) => attachedScript({ ...call, terminal }));
  }

  private followUnit(unit: string, what: string, part: string): Promise<number> {
    const app = this.app.declaration.name;
    const script = followScript({
      unit: `${this.id}-${unit}.service`,
      name: `${app} ${what}`,
      logs: `homeport logs ${app} ${part}`,
    });
    return follow(this.host.connection, script);
  }

  /** Named one by one: a pattern would be matched against what is logged already, and not against what is to come. */
  private unitsOf(part: LogQuery["part"]): readonly string[] {
    const { declaration, settings } = this.app;
    const { id } = this;
    const wanted = (kind: string, name: string): boolean =>
      part === undefined || (part.kind === kind && part.name === name);
    const units = declaration.services
      .filter(({ name }) => wanted("service", name))
      .flatMap((service) => {
        const count = Math.max(settings.instances[service.name] ?? 1, instancesOf(service).max);
        const numbers = Array.from({ length: count }, (_, index) => index + 1);
        return ["a", "b"].flatMap((slot) => [
          ...numbers.map((number) => `${id}-${service.name}-${slot}@${number}.service`),
          ...(service.release === undefined ? [] : [`${id}-release-${service.name}-${slot}.service`]),
        ]);
      });
    for (const { name } of declaration.jobs) if (wanted("job", name)) units.push(`${id}-job-${name}.service`);
    for (const { name, engine, ...rest } of declaration.databases) {
      if (!wanted("database", name)) continue;
      if (engine === "redis") units.push(`${id}-redis-${name}.service`);
      if ("backup" in rest) units.push(`${id}-backup-${name}.service`, `homeport-restore-${id}-${name}.service`);
    }
    return part === undefined ? [...units, `${id}-watch.service`, `${id}-disk-report.service`] : units;
  }

  /** A file of the wrong form is told before it travels. */
  private async checkArchive(database: string, path: string): Promise<void> {
    const engine = this.app.declaration.databases.find(({ name }) => name === database)?.engine;
    const handle = await open(path);
    const { buffer } = await handle.read(Buffer.alloc(6), 0, 6, 0).finally(() => handle.close());
    const isDump = buffer.subarray(0, 5).toString("latin1") === "PGDMP";
    const isGzip = buffer[0] === 0x1f && buffer[1] === 0x8b;
    if (engine === "postgres" ? isDump : isGzip) return;
    throw new DriverError({
      what: `The file can't be restored into ${database}.`,
      where: path,
      why: engine === "postgres" ? "it isn't an archive of pg_dump's own format" : "it isn't a gzip'd SQLite file",
      fix: engine === "postgres" ? "make one: pg_dump -Fc --file=FILE" : `make one: gzip --keep ${path}`,
    });
  }
}

/** The file's bytes, then a line with their SHA-256. */
async function sendFile(stdin: NodeJS.WritableStream, path: string): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    if (!stdin.writable) return;
    hash.update(chunk);
    if (!stdin.write(chunk)) {
      await new Promise<void>((done) => {
        for (const event of ["drain", "close", "error"]) {
          stdin.once(event, () => {
            done();
          });
        }
      });
    }
  }
  stdin.write(`${hash.digest("hex")}\n`);
}
