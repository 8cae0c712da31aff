import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../host/host";

const script = readFileSync(join(__dirname, "postgres.sh"), "utf8");

/** Where a cluster is reached on its host: by clients' own connections, and through PgBouncer. */
export interface PostgresPorts {
  readonly direct: number;
  readonly pooler: number;
}

/** How PgBouncer shares connections out. */
export type PoolMode = "session" | "transaction";

/** What a cluster is made from: a backup of another one, as it was, or as that cluster went on to be at a time. */
export interface PostgresSource {
  readonly cluster: string;
  readonly backup: string;
  readonly until?: Date;
}

/** Postgres clusters that a platform sells: each is a server of its own with PgBouncer beside it, kept by its id. */
export interface PostgresServers {
  /** The host that they are at. */
  readonly host: string;
  /** Makes and starts a cluster; from a source with its databases and roles. One that is there is left as it is. */
  create(id: string, mode: PoolMode, source?: PostgresSource): Promise<PostgresPorts>;
  /** Runs SQL as the superuser. Returns unaligned rows. */
  sql(id: string, database: string, sql: string): Promise<string>;
  /** Sets who PgBouncer lets in, passwords by name. */
  setUsers(id: string, users: Readonly<Record<string, string>>): Promise<void>;
  /** Copies a cluster while it runs. Returns the copy's size in bytes. */
  backup(id: string, backup: string): Promise<number>;
  /** Ends a cluster and removes it with its backups. */
  remove(id: string): Promise<void>;
}

/** Postgres clusters in a host of the rehearsal, whose image has the programs: Debian's Postgres 17, whatever version is asked for. */
export class HostPostgres implements PostgresServers {
  readonly host: string;

  constructor(private readonly machine: Host) {
    this.host = machine.address;
  }

  private async do(verb: string, id: string, settings: Record<string, string> = {}, input = ""): Promise<string> {
    const given = Object.entries({ verb, id, folder: `/var/lib/rehearsal/postgres/${id}`, ...settings });
    const done = await this.machine.exec(
      `${given.map(([name, value]) => `${name}='${value}'`).join("\n")}\n${script}`,
      {
        input,
      },
    );
    if (done.code !== 0) throw new Error(`the Postgres cluster ${id} fails to ${verb}: ${done.stderr.trim()}`);
    return done.stdout.trim();
  }

  async create(id: string, mode: PoolMode, source?: PostgresSource): Promise<PostgresPorts> {
    const from = source && {
      source: source.cluster,
      backup: source.backup,
      until: source.until?.toISOString().replace("T", " ").replace("Z", "+00") ?? "",
    };
    const direct = Number(await this.do(from === undefined ? "create" : "restore", id, { mode, ...from }));
    return { direct, pooler: direct + 1 };
  }

  async sql(id: string, database: string, sql: string): Promise<string> {
    const folder = `/var/lib/rehearsal/postgres/${id}`;
    const psql = `runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -h ${folder} -p "$(cat ${folder}/port)" -d '${database}'`;
    const done = await this.machine.exec(`exec ${psql}`, { input: sql });
    if (done.code !== 0) throw new Error(`the Postgres cluster ${id} refuses: ${done.stderr.trim()}`);
    return done.stdout;
  }

  async setUsers(id: string, users: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(users).map(([name, password]) => `"${name}" "${password}"\n`);
    await this.do("users", id, {}, lines.join(""));
  }

  async backup(id: string, backup: string): Promise<number> {
    return Number(await this.do("backup", id, { backup }));
  }

  async remove(id: string): Promise<void> {
    await this.do("remove", id);
  }
}
