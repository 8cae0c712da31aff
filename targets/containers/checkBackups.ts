import type { Backup, Database } from "../../components/declaration";
import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";

/** How a platform saves databases by itself: at its own times, and without uploading anything. */
export interface OwnBackups {
  /** As people call it: `Railway`. */
  readonly platform: string;
  /** The setting of the apps for which that is enough, `railway:ownBackups`, and its value. */
  readonly key: string;
  readonly enoughFor: readonly string[];
  /** What is told of a copy that is to be made at times of its own. */
  readonly ownTimes: string;
  /** What the platform keeps of a database. */
  readonly kept: (database: Database, backup: Backup) => string;
}

/** Backups that a platform can't make as they are declared: whoever takes its own for enough says it. */
export function checkBackups({ declaration: { name, databases } }: ResolvedApp, own: OwnBackups): Problem[] {
  if (own.enoughFor.includes(name)) return [];
  return databases.flatMap((database) => {
    if (!("backup" in database)) return [];
    const { engine, backup } = database;
    if (engine === "postgres" && backup.to === undefined) return [];
    return [
      {
        where: `${name}.${database.name}.backup`,
        what:
          backup.to === undefined
            ? own.ownTimes
            : `Its copies are to go to ${backup.to.name}, and ${own.platform} uploads none.`,
        why: own.kept(database, backup),
        fix: `if that is enough: pulumi config set --path '${own.key}[${own.enoughFor.length}]' ${name}`,
      },
    ];
  });
}
