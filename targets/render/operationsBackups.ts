import { DriverError } from "../../drivers/error";
import type { BackupCopy, BackupList, DatabaseStatus, PlacedApp, RestoreSource } from "../operations";
import { exitCodes } from "../operations";
import type { Database } from "./api/types";
import type { Run } from "./deploy/run";
import { nameOf } from "./names";
import type { RenderSettings } from "./settings";

interface Export {
  readonly id: string;
  readonly createdAt: string;
}

const exportSeconds = 3_600;

/** Saving and restoring Postgres, by Render's own means: to any time of the last days, and as exports that it keeps a week. */
export class RenderBackups {
  constructor(
    private readonly run: Run,
    private readonly app: PlacedApp,
    private readonly settings: RenderSettings,
    private readonly ownerId: () => Promise<string>,
  ) {}

  private async find(database: string): Promise<Database | undefined> {
    const declared = this.app.declaration.databases.find(({ name }) => name === database);
    if (declared?.engine !== "postgres") return undefined;
    return (await this.run.render.postgres(await this.ownerId(), nameOf(this.app, this.settings, database)))[0];
  }

  private exports({ id }: Database): Promise<Export[]> {
    return this.run.render.call<Export[]>("GET", `/postgres/${id}/export`);
  }

  async databases(): Promise<DatabaseStatus[]> {
    return Promise.all(
      this.app.declaration.databases.map(async ({ name, engine }) => {
        const found = await this.find(name);
        return { name, engine, copies: found === undefined ? 0 : (await this.exports(found)).length };
      }),
    );
  }

  async backup(database: string): Promise<number> {
    const { render } = this.run;
    const found = await this.find(database);
    if (found === undefined) {
      process.stderr.write(`${database} isn't a Postgres that is there\n`);
      return exitCodes.absent;
    }
    const before = (await this.exports(found)).map(({ id }) => id);
    await render.call("POST", `/postgres/${found.id}/export`);
    const made = await this.run.poll(render.deadline(exportSeconds, `an export of ${found.name}`), async () =>
      (await this.exports(found)).find(({ id }) => !before.includes(id)),
    );
    process.stdout.write(`${made.id}: Render keeps it for 7 days\n`);
    return 0;
  }

  async list(): Promise<BackupList> {
    const copies: BackupCopy[] = [];
    const problems: string[] = [];
    for (const { name, engine } of this.app.declaration.databases) {
      if (engine !== "postgres") continue;
      const found = await this.find(name);
      if (found === undefined) {
        problems.push(`${name} isn't there; pulumi up makes it`);
        continue;
      }
      for (const { id, createdAt } of await this.exports(found))
        copies.push({ database: name, kept: "place", key: id, bytes: 0, time: createdAt });
      const { startsAt } = await this.run.render.call<{ startsAt?: string }>("GET", `/postgres/${found.id}/recovery`);
      if (startsAt !== undefined)
        copies.push({ database: name, kept: "place", key: `any time since ${startsAt}`, bytes: 0, time: startsAt });
    }
    return { copies, problems };
  }

  /** Makes another database of a time: Render restores into a new one, with an address of its own. */
  async restore(database: string, from: RestoreSource): Promise<number> {
    const found = await this.find(database);
    if (found === undefined) {
      process.stderr.write(`${database} isn't a Postgres that is there\n`);
      return exitCodes.absent;
    }
    const { render } = this.run;
    const now = render.client.world.now();
    // The last ten minutes can't be had yet.
    const time = from.kind === "latest" ? new Date(now - 11 * 60_000) : new Date(from.kind === "key" ? from.key : NaN);
    if (Number.isNaN(time.getTime())) throw this.unfit(found);
    const restoreName = `${found.name}-${time.toISOString().slice(0, 16).replace(/[-:T]/g, "")}`;
    const body = { restoreTime: time.toISOString(), restoreName };
    const made = await render.call<Database>("POST", `/postgres/${found.id}/recovery`, { body });
    await this.run.poll(render.deadline(exportSeconds, `${restoreName} to be available`), async () => {
      const { status } = await render.call<Database>("GET", `/postgres/${made.id}`);
      return status === "available" ? true : undefined;
    });
    const key = `${this.app.declaration.name}-${database}`;
    process.stdout.write(
      `${restoreName} has the data of ${time.toISOString()}; ${found.name} is as it was. To use it:\n` +
        `  pulumi config set --path render:names.${key} ${restoreName} && pulumi up\n`,
    );
    return 0;
  }

  private unfit({ name }: Database): DriverError {
    return new DriverError({
      what: `${name} can be put back to a time, not to a file or an export.`,
      where: name,
      why: "Render's API has no call that reads one",
      fix: `homeport restore ${this.app.declaration.name} DATABASE latest, or a time such as 2026-01-31T04:00Z in place of latest`,
    });
  }
}
