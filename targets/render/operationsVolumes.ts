import { DriverError } from "../../drivers/error";
import type { BackupList, RestoreSource, VolumeOperations } from "../operations";
import { exitCodes } from "../operations";
import { diskSnapshots, restoreSnapshot } from "./api/disks";
import type { Deploy, DiskSnapshot, Service } from "./api/types";
import type { Run } from "./deploy/run";
import { awaitLive } from "./deploy/wait";
import type { Placed } from "./operations";
import type { RenderService } from "./plan";

/** Seconds within which Render begins the deploy that a restore may take. */
const deploySeconds = 60;

type Disk = NonNullable<Service["serviceDetails"]["disk"]>;

interface Held {
  readonly part: string;
  readonly service: Service;
  readonly disk: Disk;
}

/** What a person calls the disk of a component: no component's name has an underscore. */
export const diskName = (part: string): string => `${part}_disk`;

/** Snapshots of the disks that the app's services have: Render makes one a day, and keeps each for a week or longer. */
export class RenderVolumes implements VolumeOperations {
  /** https://api-docs.render.com/reference/restore-snapshot: irreversible. */
  readonly isFinal = true;

  constructor(
    private readonly run: Run,
    private readonly services: () => Promise<readonly Placed[]>,
    private readonly asPlanned: (part: string, service: Service) => RenderService,
  ) {}

  async names(): Promise<readonly string[]> {
    return (await this.held()).map(({ part }) => diskName(part));
  }

  async snapshot(name: string): Promise<number> {
    const held = await this.find(name);
    if (held === undefined) return exitCodes.absent;
    throw new DriverError({
      what: `No snapshot of ${name} can be made now.`,
      where: `${held.disk.mountPath} of ${held.service.name}`,
      why: "Render makes one of each disk a day, by itself, and has no call for it",
      fix: "homeport backups APP lists them",
    });
  }

  async snapshots(): Promise<BackupList> {
    const lists = await Promise.all(
      (await this.held()).map(async ({ part, disk }) =>
        (await diskSnapshots(this.run.render, disk.id)).map(({ createdAt }) => ({
          database: diskName(part),
          kept: "place" as const,
          // Render's own keys hold for a day only.
          key: createdAt,
          bytes: 0,
          time: createdAt,
        })),
      ),
    );
    return { copies: lists.flat(), problems: [] };
  }

  /** The data of now is overwritten, by Render itself and for good. */
  async restore(name: string, from: RestoreSource): Promise<number> {
    const held = await this.find(name);
    if (held === undefined) return exitCodes.absent;
    const { run } = this;
    const { part, service, disk } = held;
    const snapshot = await this.chosen(name, held, from);
    run.tell(
      `${name}: goes back to ${snapshot.createdAt}; all that was written to ${disk.mountPath} since then is lost`,
    );
    const [before] = await run.render.deploys(service.id, 1);
    await restoreSnapshot(run.render, disk.id, snapshot);
    const deploy = await this.begun(service, before);
    if (deploy !== undefined) await awaitLive(run, this.asPlanned(part, service), service, deploy.id);
    // A program that kept files open would go on with what it knew of them.
    else await run.render.call("POST", `/services/${service.id}/restart`, { idempotent: true });
    run.tell(`${name}: done; ${service.name} runs with the data of ${snapshot.createdAt}`);
    return 0;
  }

  /** The deploy that the restore began; undefined where it began none. */
  private async begun({ id }: Service, before: Deploy | undefined): Promise<Deploy | undefined> {
    const { render } = this.run;
    const deadline = render.deadline(deploySeconds, "a deploy after the restore");
    for (;;) {
      const [newest] = await render.deploys(id, 1);
      if (newest !== undefined && newest.id !== before?.id) return newest;
      if (!(await render.client.pause(2_000, deadline))) return undefined;
    }
  }

  private async chosen(name: string, { disk, service }: Held, from: RestoreSource): Promise<DiskSnapshot> {
    const all = await diskSnapshots(this.run.render, disk.id);
    const found =
      from.kind === "latest"
        ? all[0]
        : all.find((one) => from.kind === "key" && (one.createdAt === from.key || one.snapshotKey === from.key));
    if (found !== undefined) return found;
    throw new DriverError({
      what: `${name} can't be restored from that.`,
      where: `${disk.mountPath} of ${service.name}`,
      why:
        from.kind === "file"
          ? "a disk is restored from a snapshot of it, and from no file"
          : from.kind === "key"
            ? `it has no snapshot of ${from.key}`
            : "it has no snapshot yet: Render makes the first within a day",
      fix: "homeport backups APP lists its snapshots",
    });
  }

  private async find(name: string): Promise<Held | undefined> {
    return (await this.held()).find(({ part }) => diskName(part) === name);
  }

  private async held(): Promise<Held[]> {
    return (await this.services()).flatMap(({ part, service }) => {
      const { disk } = service.serviceDetails;
      return disk === undefined ? [] : [{ part, service, disk }];
    });
  }
}
