import type { Database } from "../../components/declaration";
import type { DatabaseStatus, PlacedApp } from "../operations";
import type { Fly } from "./api/fly";
import { metadataOf } from "./api/types";
import { listSnapshots } from "./api/volumes";
import type { Cluster } from "./deploy/postgres";
import { tag, volumeName } from "./deploy/tags";
import { listClusterBackups } from "./operationsClusters";
import type { PlacedMachine, PlacedVolume, Whereabouts } from "./operationsFind";
import { ownerOf } from "./values";

/** What a database lies on: a cluster, a volume, or nothing of Fly's. */
export interface FoundDatabase {
  readonly database: Database;
  readonly cluster?: Cluster;
  readonly machine?: PlacedMachine;
  readonly volume?: PlacedVolume;
}

/** Where an app's databases are, as far as they are there. Pure. */
export function findDatabases(
  app: Pick<PlacedApp, "declaration">,
  where: Pick<Whereabouts, "clusterName" | "partApp" | "appOf">,
  seen: {
    readonly machines: readonly PlacedMachine[];
    readonly volumes: readonly PlacedVolume[];
    readonly clusters: readonly Cluster[];
  },
): FoundDatabase[] {
  const lying = (place: string, group: string) => {
    const machine = seen.machines.find(
      (one) => one.app === place && one.group === group && metadataOf(one.machine)[tag.slot] === "1",
    );
    const volume = seen.volumes.find((one) => one.app === place && one.volume.name === volumeName(group, 1));
    return { ...(machine === undefined ? {} : { machine }), ...(volume === undefined ? {} : { volume }) };
  };
  return app.declaration.databases.map((database) => {
    switch (database.engine) {
      case "postgres": {
        const cluster = seen.clusters.find(({ name }) => name === where.clusterName(database.name));
        return { database, ...(cluster === undefined ? {} : { cluster }) };
      }
      case "redis":
        return { database, ...lying(where.partApp(database.name), "redis") };
      case "sqlite": {
        const owner = ownerOf(app.declaration.services, database.file);
        return { database, ...(owner === undefined ? {} : lying(where.appOf(owner.name), owner.name)) };
      }
      default:
        return { database };
    }
  });
}

/** The databases as Fly tells of them, with the backups that it keeps itself: of clusters, and of volumes by their snapshots. */
export function databaseStatuses(fly: Fly, found: readonly FoundDatabase[]): Promise<DatabaseStatus[]> {
  return Promise.all(
    found.map(async ({ database: { name, engine }, cluster, machine, volume }) => {
      if (engine === "external") return { name, engine, state: "run by somebody else", copies: 0 };
      if (cluster !== undefined) {
        const copies = await listClusterBackups(fly, cluster.id);
        const version = cluster.pg_major_version === undefined ? "" : ` ${cluster.pg_major_version}`;
        const newest = copies[0] === undefined ? {} : { newest: { ...copies[0], name: copies[0].key } };
        return { name, engine: `${engine}${version}`, state: clusterWords(cluster), copies: copies.length, ...newest };
      }
      if (volume === undefined) return { name, engine, state: "gone", copies: 0 };
      const snapshots = await listSnapshots(fly, volume.app, volume.volume.id);
      const [last] = snapshots;
      const newest = last === undefined ? {} : { newest: { name: last.id, bytes: last.size, time: last.created_at } };
      const state = `${machine?.machine.state ?? "gone"}, on ${volume.volume.name} of ${volume.volume.size_gb} GB`;
      return { name, engine, state, copies: snapshots.length, ...newest };
    }),
  );
}

const clusterWords = ({ status, plan, disk_size_gb: disk }: Cluster): string =>
  [status, ...(plan === undefined ? [] : [plan]), ...(disk === undefined ? [] : [`${disk} GB`])].join(", ");
