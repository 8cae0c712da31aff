import type { Fly } from "../api/fly";

/** The scheduler's machine, in which this runs: what it makes beside itself, and where others find it. */
export interface Here {
  readonly flyFor: (app: string) => Fly;
  /** The app of Fly that the scheduler's machine is in. */
  readonly app: string;
  readonly region: string;
  /** Of this machine in the organization's private network. */
  readonly address: string;
  /** Owner tag, `hotrod-prod`. */
  readonly id: string;
  /** Folder of `dump.sh`, `restore.sh` and `sqlite.py`. */
  readonly scripts: string;
  readonly log: (line: string) => void;
}

/** What is done with a database. */
export type Act = "dump" | "restore";

/** Seconds that either may take. */
export const workSeconds = 6 * 3600;
