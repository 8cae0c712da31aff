import type { Backup, Database } from "../../components/declaration";
import { Duration } from "../../components/values/duration";
import { Size } from "../../components/values/size";
import { shell } from "./commands";
import type { BackupKind, RailwayVolume } from "./plan";
import type { RailwaySettings } from "./settings";
import { urlVariable, type RailwayMade } from "./values";

/** A database as a service of Railway: a published image with a volume, as Railway has no databases of its own. */
export interface PlannedDatabase {
  readonly image: string;
  readonly command: string | null;
  readonly memory: Size;
  /** Names of the variables that hold secrets. */
  readonly secrets: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly volume: RailwayVolume;
}

const redisMemory = Size.mib(256);
const postgresMemory = Size.gib(1);
const postgresSize = Size.gib(10);
const postgresFolder = "/var/lib/postgresql/data";
/** Days that Railway keeps daily backups of a volume (docs.railway.com/reference/backups). */
const dailyKept = 6;

/** https://docs.railway.com/reference/backups */
const kept: Readonly<Record<BackupKind, string>> = {
  DAILY: `one a day for ${dailyKept} days`,
  WEEKLY: "one a week for a month",
  MONTHLY: "one a month for three months",
};

/** @returns undefined for databases that are files, or that others run */
export function planDatabase(
  settings: RailwaySettings,
  made: RailwayMade,
  database: Database,
  backups: readonly BackupKind[],
): PlannedDatabase | undefined {
  const password = made.passwords[database.name] ?? "";
  if (database.engine === "redis") return planRedis(settings, password, database.size ?? redisMemory, backups);
  if (database.engine !== "postgres") return undefined;
  const extensions = database.extensions ?? [];
  return {
    image: extensions.includes("vector") ? settings.vectorImage : settings.postgresImage,
    command: extensions.length === 0 ? null : withExtensions(extensions),
    memory: postgresMemory,
    secrets: ["POSTGRES_PASSWORD"],
    variables: {
      // A volume's own folder holds lost+found, which initdb refuses.
      PGDATA: `${postgresFolder}/pgdata`,
      POSTGRES_USER: "postgres",
      POSTGRES_DB: "railway",
      POSTGRES_PASSWORD: password,
      PGHOST: "${{RAILWAY_PRIVATE_DOMAIN}}",
      PGPORT: "5432",
      PGUSER: "${{POSTGRES_USER}}",
      PGDATABASE: "${{POSTGRES_DB}}",
      PGPASSWORD: "${{POSTGRES_PASSWORD}}",
      [urlVariable.postgres]:
        "postgresql://${{POSTGRES_USER}}:${{POSTGRES_PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:5432/${{POSTGRES_DB}}",
    },
    volume: {
      path: postgresFolder,
      sizeMb: Math.ceil((database.size ?? postgresSize).toMib({ integral: false })),
      backups: database.backup === undefined ? backups : kindsOf(database.backup),
    },
  };
}

/** The schedules of Railway's that save at least as often, and keep copies at least as long. */
export function kindsOf({ at, keep = 7 }: Backup): BackupKind[] {
  const interval = at.minimumInterval();
  if (interval.compare(Duration.days(7)) < 0) return keep > dailyKept ? ["DAILY", "WEEKLY"] : ["DAILY"];
  return interval.compare(Duration.days(28)) < 0 ? ["WEEKLY"] : ["MONTHLY"];
}

/** How often such snapshots are made and how long each is kept, as a person reads it. */
export const keptOf = (kinds: readonly BackupKind[]): string => kinds.map((kind) => kept[kind]).join(", ");

/** At each start, as the image's own scripts run with an empty volume only. */
function withExtensions(extensions: readonly string[]): string {
  const create = extensions.map((name) => `CREATE EXTENSION IF NOT EXISTS "${name}";`).join(" ");
  const local = "PGHOST=/var/run/postgresql";
  return shell(
    [
      `( until ${local} pg_isready -q; do sleep 1; done; ${local} psql -v ON_ERROR_STOP=1 -c '${create}' ) &`,
      "exec docker-entrypoint.sh postgres",
    ].join("\n"),
  );
}

function planRedis(
  settings: RailwaySettings,
  password: string,
  size: Size,
  backups: readonly BackupKind[],
): PlannedDatabase {
  const mib = size.toMib({ integral: false });
  return {
    image: settings.redisImage,
    command: shell(
      `exec redis-server --requirepass "$REDIS_PASSWORD" --protected-mode no --dir /data --appendonly yes ` +
        `--maxmemory ${Math.floor(mib)}mb --maxmemory-policy noeviction`,
    ),
    // What it may hold, a copy of it while it is saved, and itself.
    memory: Size.mib(Math.ceil(mib * 1.5 + 64)),
    secrets: ["REDIS_PASSWORD"],
    variables: {
      REDIS_PASSWORD: password,
      REDISHOST: "${{RAILWAY_PRIVATE_DOMAIN}}",
      REDISPORT: "6379",
      [urlVariable.redis]: "redis://default:${{REDIS_PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:6379/0",
    },
    volume: { path: "/data", sizeMb: Math.max(1024, Math.ceil(mib * 3)), backups },
  };
}
