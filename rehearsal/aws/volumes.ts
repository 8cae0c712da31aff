import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Disk } from "../host/disks";
import { growDisk, makeDisk } from "../host/disks";
import { must, run } from "../host/run";
import type { Facts } from "./facts";

/** The serial number by which a guest finds a volume: its id without the hyphen, as on Nitro instances. */
export const serialOf = (volume: string): string => volume.replace("-", "");

/** The files of a site's EBS volumes and snapshots, sparse, in one folder. */
export class Volumes {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  private file(id: string): string {
    return join(this.folder, id);
  }

  disk(volume: string): Disk {
    return { serial: serialOf(volume), file: this.file(volume) };
  }

  /** Makes the file of a volume that is attached for the first time: blank, or as its snapshot. */
  async ensure(volume: string, facts: Facts): Promise<void> {
    const known = facts.volumes[volume];
    if (known === undefined || existsSync(this.file(volume))) return;
    const snapshot = known.snapshot === null ? undefined : this.file(known.snapshot);
    if (snapshot !== undefined && existsSync(snapshot)) await this.copy(snapshot, this.file(volume));
    makeDisk(this.file(volume), known.size * 2 ** 30);
  }

  private async copy(from: string, to: string): Promise<void> {
    const part = `${to}.part`;
    await must(["cp", "--sparse=always", "--reflink=auto", from, part]);
    renameSync(part, to);
  }

  /** Lets volumes grow, keeps new snapshots, and removes the files of what AWS's API no longer has. */
  async follow(facts: Facts): Promise<void> {
    for (const [id, { size }] of Object.entries(facts.volumes)) {
      const file = this.file(id);
      if (!existsSync(file) || statSync(file).size >= size * 2 ** 30) continue;
      makeDisk(file, size * 2 ** 30);
      await growDisk(file);
    }
    for (const [id, volume] of Object.entries(facts.snapshots)) {
      if (!existsSync(this.file(id)) && existsSync(this.file(volume)))
        await this.copy(this.file(volume), this.file(id));
    }
    for (const id of readdirSync(this.folder)) {
      if (facts.volumes[id] === undefined && facts.snapshots[id] === undefined) rmSync(this.file(id), { force: true });
    }
  }

  /** The kernel's `major:minor` of a volume's block device; undefined where it has none. */
  deviceOf(volume: string): string | undefined {
    return loopsBelow(this.file(volume))[0]?.number;
  }
}

interface Loop {
  readonly device: string;
  readonly number: string;
}

/** The loop devices of a file, or of the files in a folder. */
function loopsBelow(path: string): Loop[] {
  return readdirSync("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .flatMap((name) => {
      try {
        const file = readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8").trim();
        if (file !== path && !file.startsWith(`${path}/`)) return [];
        return [{ device: `/dev/${name}`, number: readFileSync(`/sys/block/${name}/dev`, "utf8").trim() }];
      } catch {
        return []; // It is free, or was freed meanwhile.
      }
    });
}

/** Detaches every loop device of a folder's files. */
export async function detachLoops(folder: string): Promise<void> {
  for (const { device } of loopsBelow(folder)) await run(["losetup", "--detach", device]);
}
