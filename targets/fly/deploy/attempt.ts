import type { Machine } from "../api/types";
import type { FlyAppPlan, FlyGroup } from "../plan";
import { waitHealthy } from "./health";
import type { NewVolumes } from "./newVolumes";
import { destroyMachine, previousOf, putBack } from "./retire";
import type { Run } from "./run";
import type { GroupSteps, SlotStep, Steps } from "./steps";
import { isProven } from "./tags";
import { Undo, type UndoStep } from "./undo";

/** One of the new version's machines. */
export interface Placed {
  readonly group: FlyGroup;
  readonly id: string;
  /** Its configuration's version; undefined where any will do. */
  readonly version?: string;
  cordoned: boolean;
}

/** What all machines of a new version share. */
export interface NewRelease {
  /** Number of the release, one more than the last one's. */
  readonly version: number;
  /** Fly's record of it; undefined where there is none. */
  readonly record: string | undefined;
  /** Version of the app's secrets that the machines must see. */
  readonly minSecrets: number | undefined;
  /** Volumes that were made for it. */
  readonly volumes: NewVolumes;
  /** Gets the ids of the machines that are made for it. */
  readonly made: Set<string>;
}

/** One attempt to bring an app's machines to a new version: what its parts share, and what they have done. */
export class Attempt {
  readonly undo: Undo;
  readonly placed: Placed[] = [];
  /** Old machines whose place another one has taken, as theirs had no room. */
  readonly replaced: Machine[] = [];
  private readonly gone = new Set<string>();

  constructor(
    readonly run: Run,
    readonly app: FlyAppPlan,
    readonly steps: Steps,
    readonly release: NewRelease,
  ) {
    this.undo = new Undo(run, app.name);
  }

  each(): { group: GroupSteps; step: SlotStep }[] {
    return this.steps.groups.flatMap((group) => group.slots.map((step) => ({ group, step })));
  }

  /** @throws DriverError where one of them doesn't get healthy */
  async verify(machines: readonly Placed[]): Promise<void> {
    for (const { group, id, version } of machines) {
      await waitHealthy(this.run, this.app.name, group, id, version);
    }
  }

  /** The proxy wakes no machine that is out of its sight: one that a run left so and that sleeps would sleep for good. */
  async show(machine: Machine): Promise<void> {
    await this.run.fly.act(this.app.name, machine.id, "uncordon");
    this.run.changed(`${this.app.name}: machine ${machine.id} is sent requests again`);
  }

  async destroy(id: string): Promise<void> {
    await destroyMachine(this.run, this.app.name, id);
    this.gone.add(id);
  }

  /** Whether this attempt has destroyed a machine already. */
  isGone(id: string): boolean {
    return this.gone.has(id);
  }

  /** How a machine gets back to the configuration that was proven; one that never was is removed. */
  backFrom(group: FlyGroup, machine: Machine, { retire }: SlotStep): UndoStep {
    const previous = previousOf(machine);
    const removed = { what: `machine ${machine.id} removed`, how: () => this.destroy(machine.id) };
    if (!isProven(machine) && (previous === undefined || retire.length > 0)) return removed;
    return {
      what: `machine ${machine.id} put back to its previous version`,
      how: async () => {
        if (!(await putBack(this.run, this.app.name, group, machine, previous))) await removed.how();
      },
    };
  }
}

export const isServed = (group: FlyGroup): boolean => (group.config.services ?? []).length > 0;
