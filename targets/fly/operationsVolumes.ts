import { randomUUID } from "node:crypto";
import { DriverError } from "../../drivers/error";
import { exitCodes, type BackupList, type RestoreSource, type VolumeOperations } from "../operations";
import { launchKey } from "./api/fly";
import { asGiven, configOf, metadataOf, type Machine, type Snapshot, type Volume } from "./api/types";
import { createVolume, deleteVolume, listSnapshots, listVolumes, takeSnapshot } from "./api/volumes";
import { groupLike, waitHealthy } from "./deploy/health";
import { destroyMachine, stopGently } from "./deploy/retire";
import type { Run } from "./deploy/run";
import { tag } from "./deploy/tags";
import type { Whereabouts } from "./operationsFind";

/** A volume, the app of Fly that it is in, and the service's machine that has it. */
interface Held {
  readonly app: string;
  readonly volume: Volume;
  readonly machine: Machine;
}

/** Seconds that a snapshot of a large volume may take. */
const snapshotSeconds = 1800;

/** Snapshots of the volumes that the app's machines have. */
export class FlyVolumes implements VolumeOperations {
  constructor(
    private readonly where: Whereabouts,
    /** A run of its own for each piece of work. */
    private readonly run: () => Run,
  ) {}

  async names(): Promise<readonly string[]> {
    return (await this.held()).map(({ volume }) => volume.name);
  }

  async snapshot(name: string): Promise<number> {
    const held = await this.find(name);
    if (held === undefined) return exitCodes.absent;
    const run = this.run();
    const before = new Set((await listSnapshots(run.fly, held.app, held.volume.id)).map(({ id }) => id));
    await takeSnapshot(run.fly, held.app, held.volume.id);
    const deadline = run.fly.deadline(snapshotSeconds, `a snapshot of ${name}`);
    for (;;) {
      const made = (await listSnapshots(run.fly, held.app, held.volume.id)).find((one) => !before.has(one.id));
      if (made !== undefined && isReady(made)) {
        run.tell(`${name}: snapshot ${made.id} is made, ${made.size} bytes`);
        return 0;
      }
      if (!(await run.pause(2000, deadline))) return exitCodes.timeout;
    }
  }

  async snapshots(): Promise<BackupList> {
    const { fly } = this.run();
    const lists = await Promise.all(
      (await this.held()).map(async ({ app, volume }) =>
        (await listSnapshots(fly, app, volume.id)).filter(isReady).map(({ id, size, created_at }) => ({
          database: volume.name,
          kept: "place" as const,
          key: id,
          bytes: size,
          time: created_at,
        })),
      ),
    );
    return { copies: lists.flat(), problems: [] };
  }

  /** A volume can't be set back, so the machine gets a new one: a second machine with it comes first, and has to be healthy. */
  async restore(name: string, from: RestoreSource): Promise<number> {
    const held = await this.find(name);
    if (held === undefined) return exitCodes.absent;
    const run = this.run();
    const snapshot = await this.chosen(run, held, from);
    try {
      return await this.exchange(run, held, snapshot);
    } finally {
      await run.leases.dropAll().catch(() => undefined);
    }
  }

  private async exchange(run: Run, { app, volume, machine }: Held, snapshot: Snapshot): Promise<number> {
    const config = configOf(machine);
    if (config === undefined) throw new Error(`Fly doesn't tell the configuration of machine ${machine.id}.`);
    await run.leases.take(app, [machine.id]);
    const { id } = await createVolume(
      run.fly,
      app,
      {
        name: volume.name,
        region: volume.region,
        size_gb: volume.size_gb,
        encrypted: true,
        snapshot_retention: volume.snapshot_retention ?? 5,
        auto_backup_enabled: volume.auto_backup_enabled ?? true,
        compute: config.guest,
        compute_image: config.image,
        snapshot_id: snapshot.id,
      },
      (await listVolumes(run.fly, app)).filter((one) => one.name === volume.name).map((one) => one.id),
    );
    run.tell(`${volume.name}: new volume ${id} of snapshot ${snapshot.id}, made ${snapshot.created_at}`);
    const mounts = (config.mounts ?? []).map((mount) =>
      mount.volume === volume.id ? { ...mount, volume: id } : mount,
    );
    const isServed = (config.services ?? []).length > 0;
    const launch = randomUUID();
    const group = metadataOf(machine)[tag.group] ?? volume.name;
    let made: Machine;
    try {
      made = await run.fly.createMachine(app, launch, {
        config: { ...asGiven(config), mounts },
        region: volume.region,
        ...(isServed ? { skip_service_registration: true } : {}),
      });
      run.tell(`${volume.name}: machine ${made.id} has it, and is to become healthy`);
      await waitHealthy(run, app, groupLike(group, config), made.id, made.instance_id);
    } catch (error) {
      // Also one that was made though the answer says that it can't be started.
      for (const one of await run.fly.machines(app, { [launchKey]: launch })) await this.remove(run, app, one.id);
      await deleteVolume(run.fly, app, id);
      run.tell(`${volume.name}: stays as it was; the new machine and volume are removed`);
      throw error;
    }
    if (isServed) {
      await run.fly.act(app, made.id, "uncordon");
      await run.pause(run.spec.propagationSeconds * 1000);
    }
    await stopGently(run, app, [machine]);
    await this.remove(run, app, machine.id);
    run.tell(`${volume.name}: done; the data of before is in volume ${volume.id}, which no machine has now`);
    return 0;
  }

  /** Until it is gone, as it has its volume for so long. */
  private async remove(run: Run, app: string, id: string): Promise<void> {
    await destroyMachine(run, app, id);
    const deadline = run.fly.deadline(60, `machine ${id} to be gone`);
    while (((await run.fly.machine(app, id))?.state ?? "destroyed") !== "destroyed") {
      if (!(await run.pause(1000, deadline))) return;
    }
  }

  private async chosen(run: Run, { app, volume }: Held, from: RestoreSource): Promise<Snapshot> {
    const all = (await listSnapshots(run.fly, app, volume.id)).filter(isReady);
    const found = from.kind === "latest" ? all[0] : all.find(({ id }) => from.kind === "key" && id === from.key);
    if (found !== undefined) return found;
    throw new DriverError({
      what: `${volume.name} can't be restored from that.`,
      where: `volume ${volume.id} of Fly app ${app}`,
      why:
        from.kind === "file"
          ? "a volume is restored from a snapshot of it, and from no file"
          : from.kind === "key"
            ? `it has no snapshot ${from.key}`
            : "it has no snapshot yet",
      fix: "homeport backups APP lists its snapshots, homeport backup APP VOLUME makes one",
    });
  }

  private async find(name: string): Promise<Held | undefined> {
    return (await this.held()).find(({ volume }) => volume.name === name);
  }

  private async held(): Promise<Held[]> {
    const { fly } = this.run();
    const machines = (await this.where.allMachines()).filter(
      ({ machine }) => metadataOf(machine)[tag.role] === "service",
    );
    const apps = [...new Set(machines.map(({ app }) => app))];
    const volumes = await Promise.all(apps.map((app) => listVolumes(fly, app)));
    return apps.flatMap((app, index) =>
      (volumes[index] ?? []).flatMap((volume) => {
        const holder = machines.find((one) =>
          configOf(one.machine)?.mounts?.some((mount) => mount.volume === volume.id),
        );
        return holder === undefined ? [] : [{ app, volume, machine: holder.machine }];
      }),
    );
  }
}

/** Fly's older answers have no status. */
const isReady = ({ status = "created" }: Snapshot): boolean => status === "created";
