import { randomUUID } from "node:crypto";
import { configOf, metadataOf, type Machine, type MachineConfig } from "../api/types";
import type { FlyAppPlan, FlyGroup } from "../plan";
import { packBefore } from "./before";
import { crowdedOut } from "./capacity";
import { waitHealthy } from "./health";
import { destroyMachine, previousOf, putBack, stopGently } from "./retire";
import type { Run } from "./run";
import type { GroupSteps, SlotStep, Steps } from "./steps";
import { Undo, type UndoStep } from "./undo";
import { configFor, isProven, tag, volumeName } from "./tags";

/** One of the new version's machines. */
interface Placed {
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
  /** Version of the app's secrets that the machines must see. */
  readonly minSecrets: number | undefined;
  /** Volumes that were made for it, by name. */
  readonly volumes: ReadonlyMap<string, string>;
}

/**
 * Brings an app's machines to the new version: new ones first, beside the old; then those that are changed in their place,
 * one after the other; only when all are healthy, the switch. If any doesn't get healthy, all go back to what they were.
 */
export class Rollout {
  private readonly undo: Undo;
  private readonly placed: Placed[] = [];
  /** Old machines whose place another one has taken, as theirs had no room. */
  private readonly replaced: Machine[] = [];

  constructor(
    private readonly run: Run,
    private readonly app: FlyAppPlan,
    private readonly steps: Steps,
    private readonly release: NewRelease,
  ) {
    this.undo = new Undo(run, app.name);
  }

  /** @throws DriverError; everything is as it was before then, or the next run sees to it */
  async go(): Promise<void> {
    try {
      await this.createAll();
      await this.verify(this.placed);
      await this.showHealthy();
      await this.updateAll();
    } catch (error) {
      await this.undo.all(error);
      throw error;
    }
    await this.switchOver();
    await this.prove();
  }

  private each(): { group: GroupSteps; step: SlotStep }[] {
    return this.steps.groups.flatMap((group) => group.slots.map((step) => ({ group, step })));
  }

  private volumeOf(group: FlyGroup, step: SlotStep): string | undefined {
    return step.volume?.id ?? this.release.volumes.get(volumeName(group.name, step.slot));
  }

  private config({ group, hashes }: GroupSteps, step: SlotStep): MachineConfig {
    const volume = this.volumeOf(group, step);
    const previous = step.act === "update" ? previousOf(step.machine) : undefined;
    const before = this.before(group, step);
    return configFor(this.run.spec.id, group, hashes, {
      slot: step.slot,
      version: this.release.version,
      deploy: this.run.began,
      ...(volume === undefined
        ? {}
        : { volume, sizeGb: Math.max(step.volume?.size_gb ?? 0, group.volume?.sizeGb ?? 0) }),
      ...(previous === undefined ? {} : { previous }),
      ...(before === undefined ? {} : { before }),
    });
  }

  /** What a rollback of this deploy goes back to: of a machine that was proven, or what an unproven one says of it. */
  private before(group: FlyGroup, step: SlotStep): string | undefined {
    const members = this.steps.groups.find((one) => one.group === group)?.slots ?? [];
    const replaced = [step, ...members].flatMap(({ act, machine, retire }) => [
      ...(act === "update" && machine !== undefined ? [machine] : []),
      ...retire,
    ]);
    const proven = replaced.find(isProven);
    return proven === undefined
      ? replaced.map((machine) => metadataOf(machine)[tag.before]).find((text) => text !== undefined)
      : packBefore(proven);
  }

  private body(config: MachineConfig) {
    const { minSecrets } = this.release;
    return { config, ...(minSecrets === undefined ? {} : { min_secrets_version: minSecrets }) };
  }

  private async createAll(): Promise<void> {
    for (const { group, step } of this.each()) {
      if (step.act === "keep" && step.machine !== undefined) await this.keep(group.group, step, step.machine);
      if (step.act !== "create") continue;
      await this.freeVolume(step);
      await this.create(group, step);
    }
  }

  private async create(group: GroupSteps, step: SlotStep): Promise<Placed> {
    const { run, app } = this;
    const served = isServed(group.group);
    const region = step.volume?.region ?? app.region;
    const made = await run.fly.createMachine(app.name, randomUUID(), {
      ...this.body(this.config(group, step)),
      region,
      ...(served ? { skip_service_registration: true } : {}),
    });
    this.undo.push({ what: `machine ${made.id} removed`, how: () => this.destroy(made.id) });
    run.changed(`${app.name}: ${group.group.name} ${step.slot} is created in ${region} (machine ${made.id})`);
    const version = made.instance_id === undefined ? {} : { version: made.instance_id };
    const placed = { group: group.group, id: made.id, cordoned: served, ...version };
    this.placed.push(placed);
    return placed;
  }

  /** A volume has one machine at a time: the old one has to go before the new one comes. */
  private async freeVolume(step: SlotStep): Promise<void> {
    const { volume } = step;
    const holder = step.retire.find((machine) =>
      configOf(machine)?.mounts?.some((mount) => mount.volume === volume?.id),
    );
    if (volume === undefined || holder === undefined) return;
    await stopGently(this.run, this.app.name, [holder]);
    await this.destroy(holder.id);
  }

  /** A machine that is as planned: it is only looked at, unless its deploy didn't end or it isn't running. */
  private async keep(group: FlyGroup, step: SlotStep, machine: Machine): Promise<void> {
    const { run, app } = this;
    const down = machine.state === "stopped" || machine.state === "suspended" || machine.state === "created";
    if (!isProven(machine)) this.undo.push(this.backFrom(group, machine, step));
    else if (!down || group.idle) {
      if (machine.cordoned !== true) return;
      if (down) await this.show(machine);
      else this.placed.push({ group, id: machine.id, cordoned: true });
      return;
    }
    if (down) {
      await run.fly.act(app.name, machine.id, "start");
      run.changed(`${app.name}: ${group.name} ${step.slot} is started (machine ${machine.id})`);
    }
    this.placed.push({ group, id: machine.id, cordoned: machine.cordoned ?? false });
  }

  private async verify(machines: readonly Placed[]): Promise<void> {
    for (const { group, id, version } of machines) {
      await waitHealthy(this.run, this.app.name, group, id, version);
    }
  }

  /**
   * Where machines are changed in their place, those that are through serve before the others stop to: a run that was cut off
   * may have left them hidden.
   */
  private async showHealthy(): Promise<void> {
    const { run, app } = this;
    const changing = this.steps.groups.filter(({ slots }) => slots.some(({ act }) => act === "update"));
    const hidden = this.placed.filter(({ group, cordoned }) => cordoned && changing.some((one) => one.group === group));
    for (const one of hidden) {
      await run.fly.act(app.name, one.id, "uncordon");
      one.cordoned = false;
    }
    if (hidden.length > 0) await run.pause(run.spec.propagationSeconds * 1000);
  }

  private async updateAll(): Promise<void> {
    for (const group of this.steps.groups) {
      // One that the proxy has put to sleep is no proof of the new version, so those that run go first; of these, the ones
      // that a run that was cut off has hidden, so that never all are.
      const updates = group.slots
        .filter(({ act }) => act === "update")
        .sort((a, b) => asleep(group, a) - asleep(group, b) || isHidden(b) - isHidden(a));
      for (const step of updates) {
        if (step.machine !== undefined) await this.update(group, step, step.machine, group.slots.length > 1);
      }
    }
  }

  private async update(group: GroupSteps, step: SlotStep, machine: Machine, others: boolean): Promise<void> {
    const { run, app } = this;
    const { fly } = run;
    const sleeping = asleep(group, step) === 1;
    // Alone, it keeps its place: the proxy holds requests for it while it restarts.
    const cordon = isServed(group.group) && others && !sleeping;
    this.undo.push(this.backFrom(group.group, machine, step));
    if (cordon) {
      await fly.act(app.name, machine.id, "cordon");
      await run.pause(run.spec.propagationSeconds * 1000);
    }
    const body = this.body(this.config(group, step));
    const updated = await fly
      .updateMachine(app.name, machine.id, {
        ...body,
        ...(cordon ? { skip_service_registration: true } : {}),
        ...(sleeping ? { skip_launch: true } : {}),
      })
      .catch((error: unknown) => {
        crowdedOut(error, app.name, machine);
        return undefined;
      });
    if (updated === undefined) {
      this.undo.forgetLast();
      if (cordon) await fly.act(app.name, machine.id, "uncordon");
      await this.replace(group, step, machine);
      return;
    }
    run.changed(`${app.name}: ${group.group.name} ${step.slot} is updated (machine ${machine.id})`);
    if (sleeping) {
      if (machine.cordoned === true) await this.show(machine);
      return;
    }
    await waitHealthy(run, app.name, group.group, machine.id, updated.instance_id);
    if (cordon || machine.cordoned === true) await fly.act(app.name, machine.id, "uncordon");
    if (cordon) await run.pause(run.spec.propagationSeconds * 1000);
  }

  /** The machine's host has no room for its new version, others may: there it is made, and takes the old one's place. */
  private async replace(group: GroupSteps, step: SlotStep, machine: Machine): Promise<void> {
    this.run.tell(
      `${this.app.name}: the host of machine ${machine.id} has no room for the new version; another is sought`,
    );
    const made = await this.create(group, step);
    await this.verify([made]);
    this.replaced.push(machine);
  }

  /** The proxy wakes no machine that is out of its sight: one that a run left so and that sleeps would sleep for good. */
  private async show(machine: Machine): Promise<void> {
    await this.run.fly.act(this.app.name, machine.id, "uncordon");
    this.run.changed(`${this.app.name}: machine ${machine.id} is sent requests again`);
  }

  /** How a machine gets back to the configuration that was proven; one that never was is removed. */
  private backFrom(group: FlyGroup, machine: Machine, { retire }: SlotStep): UndoStep {
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

  private async switchOver(): Promise<void> {
    const { run, app } = this;
    const { fly, spec } = run;
    const shown = this.placed.filter(({ cordoned }) => cordoned);
    for (const { id } of shown) await fly.act(app.name, id, "uncordon");
    const retiring = this.each().flatMap(({ step }) => step.retire.filter(({ id }) => !this.gone.has(id)));
    const old = [...retiring, ...this.steps.surplus, ...this.replaced];
    if (old.length === 0) return;
    // The proxy has to know of the new ones before the old ones go.
    if (shown.length > 0) await run.pause(spec.propagationSeconds * 1000);
    await run.leases.take(
      app.name,
      old.map(({ id }) => id),
    );
    await stopGently(run, app.name, old);
    for (const machine of old) {
      await this.destroy(machine.id);
      run.changed(
        `${app.name}: ${metadataOf(machine)[tag.group] ?? "machine"} of before is removed (machine ${machine.id})`,
      );
    }
  }

  private readonly gone = new Set<string>();

  private async destroy(id: string): Promise<void> {
    await destroyMachine(this.run, this.app.name, id);
    this.gone.add(id);
  }

  /** The record that the deploy is through; until here the next run takes it up. */
  private async prove(): Promise<void> {
    const { run, app } = this;
    const updated = this.each().flatMap(({ step }) =>
      step.act === "update" && step.machine !== undefined && !this.replaced.includes(step.machine)
        ? [step.machine.id]
        : [],
    );
    const kept = this.each().flatMap(({ step }) =>
      step.act === "keep" && step.machine !== undefined && !isProven(step.machine) ? [step.machine.id] : [],
    );
    const fresh = this.placed.map(({ id }) => id);
    for (const id of new Set([...updated, ...kept, ...fresh])) {
      await run.fly.setMetadata(app.name, id, tag.state, "proven");
    }
  }
}

const isServed = (group: FlyGroup): boolean => (group.config.services ?? []).length > 0;

const isHidden = ({ machine }: SlotStep): number => (machine?.cordoned === true ? 1 : 0);

/** 1 where the proxy has stopped the machine and may start it when it is needed. */
const asleep = ({ group }: GroupSteps, { machine }: SlotStep): number =>
  group.idle && (machine?.state === "stopped" || machine?.state === "suspended") ? 1 : 0;
