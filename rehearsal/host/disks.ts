import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { RehearsalError, must, run } from "./run";

/** A disk besides a machine's own: a file of this machine, which the guest sees as a block device. */
export interface Disk {
  /**
   * Letters and digits, as an EBS volume's id without its hyphen. There is no udev in a guest, so the one path by which it
   * finds the disk is that of an EBS volume's link, `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_<serial>`.
   */
  readonly serial: string;
  /** See `makeDisk`. It outlives the machine, and may be given to another then. */
  readonly file: string;
}

/** Makes the sparse file of a disk, blank, or lets it grow; what is in it stays. A running guest sees it after `growDisk`. */
export function makeDisk(file: string, bytes: number): void {
  if (existsSync(file) && statSync(file).size > bytes) throw new RehearsalError(`The disk ${file} can't shrink.`);
  closeSync(openSync(file, "a", 0o600));
  truncateSync(file, bytes);
}

/** Lets the guest that has a disk see the file's present size, as it does once an EBS volume has grown. */
export async function growDisk(file: string): Promise<void> {
  const device = await loopOf(file);
  if (device !== undefined) await must(["losetup", "--set-capacity", device]);
}

export const guestPath = (serial: string): string => `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${serial}`;

/** Where a machine's disks are written down, a link by serial to each file: machine.sh hands them into the guest at each boot. */
const linksOf = (folder: string): string => join(folder, "disks");

/** The disks that the machine of a folder has. */
export function disksOf(folder: string): Disk[] {
  const links = linksOf(folder);
  if (!existsSync(links)) return [];
  return readdirSync(links).map((serial) => ({ serial, file: readlinkSync(join(links, serial)) }));
}

/** Gives a machine a disk. A guest that runs sees it after its next boot, or by `mknod` (see `Host.attach`). @returns its loop device */
export async function addDisk(folder: string, { serial, file }: Disk): Promise<string> {
  if (!/^[a-z0-9]{1,40}$/.test(serial)) throw new RehearsalError(`"${serial}" can't be a disk's serial number.`);
  const link = join(linksOf(folder), serial);
  mkdirSync(linksOf(folder), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(file, link);
  return ensureLoop(file);
}

/** Takes a disk from a machine; its file stays. */
export async function dropDisk(folder: string, { serial, file }: Disk): Promise<void> {
  rmSync(join(linksOf(folder), serial), { force: true });
  const device = await loopOf(file);
  // Where the guest still has it mounted, the kernel waits for the unmount.
  if (device !== undefined) await run(["losetup", "--detach", device]);
}

/** Makes sure of the loop devices of all of a machine's disks, as after this machine's own restart. */
export async function ensureLoops(folder: string): Promise<void> {
  for (const { file } of disksOf(folder)) await ensureLoop(file);
}

async function loopOf(file: string): Promise<string | undefined> {
  const devices = await must(["losetup", "--noheadings", "--output", "NAME", "--associated", file]);
  return devices.trim().split("\n")[0]?.trim() || undefined;
}

async function ensureLoop(file: string): Promise<string> {
  for (let tries = 0; tries < 20; tries++) {
    const known = await loopOf(file);
    if (known !== undefined) return known;
    const device = (await must(["losetup", "--find"])).trim();
    // In a container, /dev has the nodes that it was made with.
    if (!existsSync(device)) await run(["mknod", "-m", "600", device, "b", "7", device.replace(/^\D+/, "")]);
    // Another process may have taken the device meanwhile.
    await run(["losetup", device, file]);
  }
  throw new RehearsalError(`No loop device can be had for ${file}: see \`losetup --list\`.`);
}
