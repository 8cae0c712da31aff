import { readFileSync } from "node:fs";
import type { Here } from "../backup/here";
import type { BucketAccess } from "../backup/s3";
import { Fly } from "../api/fly";
import { patiently } from "./patience";
import { backupVariables, tokenVariable, type PlannedBackup, type Schedule } from "./schedule";

/** Seconds that the scheduler's own questions to Fly may take, which nobody waits for. */
const patienceSeconds = 600;

/** What the scheduler's machine was given: its schedule as a file, its secrets and its own names as variables. */
export class Own {
  readonly schedule: Schedule;
  readonly app: string;
  readonly machine: string;
  private readonly clients = new Map<string, Fly>();

  constructor(
    /** Folder of the schedule and the scripts. */
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    readonly log: (line: string) => void,
  ) {
    this.schedule = JSON.parse(readFileSync(`${folder}/schedule.json`, "utf8")) as Schedule;
    this.app = env.FLY_APP_NAME ?? "";
    this.machine = env.FLY_MACHINE_ID ?? "";
  }

  /** A client with the token that may change this one app. */
  flyFor(app: string): Fly {
    const known = this.clients.get(app);
    if (known !== undefined) return known;
    const { machinesUrl, org } = this.schedule;
    const connection = { machinesUrl, apiUrl: "", org, token: this.env[tokenVariable(app)] ?? "" };
    const made = new Fly(connection, { progress: this.log, signal: new AbortController().signal }, []);
    this.clients.set(app, made);
    return made;
  }

  /** Asks Fly about an app until it answers, for some minutes at most. @throws as `patiently` does */
  patiently<T>(app: string, ask: (fly: Fly) => Promise<T>): Promise<T> {
    const fly = this.flyFor(app);
    return patiently(fly, fly.deadline(patienceSeconds, `an answer about ${app}`), () => ask(fly));
  }

  /** Writes something down for the next scheduler. One that can't is still kept. */
  async write(key: string, value: string): Promise<void> {
    await this.flyFor(this.app)
      .setMetadata(this.app, this.machine, key, value)
      .catch((error: unknown) => {
        this.log(`${key} can't be written down: ${String(error)}`);
      });
  }

  /** For backups: where their machines are made, and how these find this one (fly.io/docs/machines/runtime-environment). */
  here(): Here {
    return {
      flyFor: (app) => this.flyFor(app),
      app: this.app,
      region: this.env.FLY_REGION ?? "",
      address: this.env.FLY_PRIVATE_IP ?? "",
      id: this.schedule.id,
      scripts: this.folder,
      log: this.log,
    };
  }

  accessOf({ database, bucket: { name, ...place } }: PlannedBackup): BucketAccess {
    const variables = backupVariables(database);
    return {
      bucket: name,
      ...place,
      accessKeyId: this.env[variables.accessKeyId] ?? "",
      secretAccessKey: this.env[variables.secretAccessKey] ?? "",
    };
  }
}
