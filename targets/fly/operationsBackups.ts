import { createReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { hostName } from "../../components/values/names";
import { quote } from "../../components/values/shell";
import { DriverError } from "../../drivers/error";
import { exitCodes, type BackupCopy, type BackupList, type PlacedApp, type RestoreSource } from "../operations";
import type { Fly } from "./api/fly";
import { suffixOf } from "./backup/backup";
import { keyOf } from "./backup/keys";
import { listClusters, type Cluster } from "./deploy/postgres";
import { listClusterBackups, makeClusterBackup, restoreCluster } from "./operationsClusters";
import type { FoundSchedule, Whereabouts } from "./operationsFind";
import {
  backupName,
  environmentFile,
  schedulerFolder,
  type PlannedBackup,
  type PlannedJob,
} from "./scheduler/schedule";
const verbLine = (...words: readonly string[]): string =>
  ["node", `${schedulerFolder}/scheduler.js`, ...words.map(quote)].join(" ");

/** Seconds that a backup or a restore may take. */
const workSeconds = 6 * 3600;

/** What of a database's backups is done by the scheduler's machine: it has the bucket's key, and the way to the database. */
export class FlyBackups {
  constructor(
    private readonly fly: Fly,
    private readonly app: PlacedApp,
    private readonly where: Whereabouts,
    /** Runs a job in its service's machine, and shows how it ends. */
    private readonly follow: (job: PlannedJob) => Promise<number>,
    private readonly tell: (line: string) => void,
  ) {}

  async backup(database: string): Promise<number> {
    const { plan } = await this.planOf(database);
    if (plan !== undefined) return this.work(plan, "backup", database);
    const cluster = await this.clusterOf(database);
    if (cluster === undefined) return this.absent(database);
    await makeClusterBackup(this.fly, cluster.id, this.tell);
    return 0;
  }

  async list(): Promise<BackupList> {
    const copies: BackupCopy[] = [];
    const problems: string[] = [];
    const schedule = await this.where.schedule();
    for (const { name } of this.app.declaration.databases.filter(({ engine }) => engine === "postgres")) {
      const cluster = await this.clusterOf(name);
      if (cluster === undefined) problems.push(`${name}: its cluster isn't there.`);
      else
        copies.push(...(await listClusterBackups(this.fly, cluster.id)).map((copy) => ({ database: name, ...copy })));
      const kept = await this.inBucket(schedule, name);
      if (typeof kept === "string") problems.push(kept);
      else copies.push(...kept);
    }
    return { copies, problems };
  }

  async restore(database: string, from: RestoreSource): Promise<number> {
    const { plan, schedule } = await this.planOf(database);
    if (plan?.engine === "sqlite") return this.fromBucket(schedule, plan, from);
    const cluster = await this.clusterOf(database);
    if (cluster === undefined) return this.absent(database);
    if (from.kind === "key" && (await listClusterBackups(this.fly, cluster.id)).some(({ key }) => key === from.key)) {
      return this.restoreBeside(database, cluster, from.key);
    }
    if (plan === undefined) {
      const newest = from.kind === "latest" ? (await listClusterBackups(this.fly, cluster.id))[0] : undefined;
      if (newest !== undefined) return this.restoreBeside(database, cluster, newest.key);
      throw new DriverError({
        what: `${database} can't be restored from that.`,
        where: `Postgres cluster ${cluster.name}`,
        why: "it is backed up to no bucket, so only Fly's own backups of it can be restored",
        fix: `homeport backups ${this.app.declaration.name} lists them`,
      });
    }
    return this.fromBucket(schedule, plan, from);
  }

  private async fromBucket(schedule: FoundSchedule, plan: PlannedBackup, from: RestoreSource): Promise<number> {
    const key =
      from.kind === "file" ? await this.send(schedule, plan, from.path) : from.kind === "key" ? from.key : "latest";
    return this.work(plan, "restore", plan.database, key);
  }

  /** Fly restores into a cluster of its own, so the present one stays as it is until the stack names the other. */
  private async restoreBeside(database: string, cluster: Cluster, backup: string): Promise<number> {
    const { name } = await restoreCluster(this.fly, cluster, backup, this.tell);
    this.tell(`the backup is in the new cluster ${name}; to use it, with ${cluster.name} kept as it is:`);
    this.tell(
      `  pulumi config set --path fly:postgresClusters.${this.app.declaration.name}-${database} ${name} && pulumi up`,
    );
    return 0;
  }

  private async planOf(database: string): Promise<{ plan: PlannedBackup | undefined; schedule: FoundSchedule }> {
    const schedule = await this.where.schedule();
    return { plan: schedule.backups.find((one) => one.database === database), schedule };
  }

  private work(plan: PlannedBackup, ...words: string[]): Promise<number> {
    return this.follow({
      name: plan.name,
      expression: plan.expression,
      timeZone: plan.timeZone,
      flyApp: this.where.scheduler,
      group: "scheduler",
      inPlace: true,
      commands: [verbLine(...words)],
      onFailure: "stop",
      timeoutSeconds: workSeconds,
      env: {},
    });
  }

  /** A short question to the scheduler's machine. @returns what it wrote */
  private async ask({ machine }: FoundSchedule, ...words: string[]): Promise<string> {
    const script = `[ ! -r ${environmentFile} ] || . ${environmentFile}; ${verbLine(...words)}`;
    const answer = await this.fly.exec(this.where.scheduler, machine?.id ?? "", ["/bin/sh", "-c", script], 60);
    if ((answer.exit_code ?? 0) !== 0) throw new Error((answer.stdout ?? "").trim() || (answer.stderr ?? "").trim());
    return answer.stdout ?? "";
  }

  private async inBucket(schedule: FoundSchedule, database: string): Promise<BackupCopy[] | string> {
    const plan = schedule.backups.find((one) => one.database === database);
    if (plan === undefined) return [];
    try {
      const listed = JSON.parse(await this.ask(schedule, "list", database)) as [string, number, string][];
      return listed.map(([key, bytes, time]) => ({ database, kept: "archive", key, bytes, time }));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `${database}: the bucket ${plan.bucket.name} can't be looked at: ${why}`;
    }
  }

  /** Puts a file of this machine into the bucket, by an address that the scheduler's machine signs. @returns its key */
  private async send(schedule: FoundSchedule, plan: PlannedBackup, path: string): Promise<string> {
    const key = keyOf(hostName(this.app.declaration.name, this.app.stack), plan.database, suffixOf(plan), new Date());
    const sent = key.replace(/^backups\//, "restores/");
    const address = (await this.ask(schedule, "address", plan.database, sent)).trim();
    const { size } = statSync(path);
    this.tell(`${plan.database}: sends ${path}, ${size} bytes, to s3://${plan.bucket.name}/${sent}`);
    const body = Readable.toWeb(createReadStream(path)) as unknown as ReadableStream;
    const headers = { "content-length": String(size) };
    const response = await fetch(address, { method: "PUT", headers, body, duplex: "half" });
    if (response.ok) return sent;
    throw new DriverError({
      what: `${path} can't be sent to the bucket.`,
      where: `bucket ${plan.bucket.name}`,
      why: `it answers ${response.status}: ${(await response.text()).slice(0, 200)}`,
      fix: `see that this machine reaches ${new URL(address).host}, then again`,
    });
  }

  private async clusterOf(database: string): Promise<Cluster | undefined> {
    const name = this.where.clusterName(database);
    return (await listClusters(this.fly)).find((cluster) => cluster.name === name);
  }

  private absent(name: string): number {
    this.tell(`${name} isn't there; pulumi up deploys it`);
    return exitCodes.absent;
  }
}

/** The schedule's own name of a database's backup, as status tells it. */
export const databaseOf = (name: string): string | undefined =>
  name.startsWith(backupName("")) ? name.slice(backupName("").length) : undefined;
