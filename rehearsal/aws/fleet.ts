import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { disksOf } from "../host/disks";
import type { Host } from "../host/host";
import { bootHost } from "../host/host";
import type { Machine } from "../host/machine";
import { guestInit, planMachine, removeMachine, running } from "../host/machine";
import type { Network } from "../host/network";
import { macOf } from "../host/network";
import type { Log } from "../host/run";
import { must, poll, run } from "../host/run";
import { removeGroup } from "../host/cgroup";
import { consoleText, firstBootScript } from "./cloudInit";
import type { Facts, InstanceFacts } from "./facts";
import type { Guarded } from "./firewall";
import { firewall } from "./firewall";
import { Volumes } from "./volumes";

/** What a fleet is made of. */
export interface FleetPlan {
  readonly folder: string;
  readonly tag: string;
  readonly network: Network;
  /** The cached root that instances boot copies of. */
  readonly root: string;
  readonly metadataPort: number;
}

interface Member {
  readonly machine: Machine;
  wish: InstanceFacts;
  host?: Host;
  /** Up and prepared: only then are its packets filtered, as the boot is awaited by SSH. */
  isOpen: boolean;
  /** What is still to be done to it, one after the other. */
  queue: Promise<void>;
}

const machinesFile = (folder: string): string => join(folder, "machines.json");

/** The machines of a fleet's folder, for their removal. */
export function machinesOf(folder: string): Machine[] {
  const file = machinesFile(folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Machine[]) : [];
}

/** The hosts behind the instances. They follow what AWS's API says of the instances, whoever changed it. */
export class Fleet {
  private readonly members = new Map<string, Member>();
  private readonly volumes: Volumes;
  /** The newest facts: what is done late is done by them, not by those that were true when it was asked for. */
  private facts: Facts = { instances: [], volumes: {}, snapshots: {} };
  /** What is done for all hosts together, one after the other. */
  private shared: Promise<void> = Promise.resolve();
  private rules = "";

  constructor(
    private readonly plan: FleetPlan,
    private readonly log: Log,
  ) {
    this.volumes = new Volumes(join(plan.folder, "volumes"));
  }

  private record(): void {
    const machines = [...this.members.values()].map(({ machine }) => machine);
    const part = `${machinesFile(this.plan.folder)}.part`;
    writeFileSync(part, JSON.stringify(machines), { mode: 0o600 });
    renameSync(part, machinesFile(this.plan.folder));
  }

  /**
   * Brings all hosts in line with the facts, which are to come in the order in which they were true. Resolves once that is
   * done, but for boots, which take their time as AWS's do: see `booted`.
   */
  async follow(facts: Facts): Promise<void> {
    this.facts = facts;
    const waits: Promise<void>[] = [];
    for (const wish of facts.instances) {
      const member = this.members.get(wish.id) ?? this.join(wish);
      if (member === undefined) continue;
      const isBooting = wish.state === "running" && !member.isOpen;
      member.wish = wish;
      const done = this.enqueue(member, () => this.bring(member));
      if (!isBooting) waits.push(done);
    }
    await Promise.all(waits);
    await this.together(() => this.volumes.follow(this.facts));
    await this.guard();
  }

  private together(work: () => Promise<void>): Promise<void> {
    const done = this.shared.then(work);
    this.shared = done.catch(() => undefined);
    return done;
  }

  private join(wish: InstanceFacts): Member | undefined {
    if (wish.state === "terminated") return undefined;
    const { folder, tag, network, root } = this.plan;
    const index = Number(wish.address.split(".")[3]) - 10;
    const machine = planMachine({
      name: wish.id,
      index,
      tag,
      network,
      root,
      folder: join(folder, "hosts", wish.id),
    });
    const member: Member = { machine, wish, isOpen: false, queue: Promise.resolve() };
    this.members.set(wish.id, member);
    this.record();
    return member;
  }

  private enqueue(member: Member, work: () => Promise<void>): Promise<void> {
    member.queue = member.queue.then(work).catch((error: unknown) => {
      this.log(`${member.wish.id}: ${error instanceof Error ? error.message : String(error)}`);
    });
    return member.queue;
  }

  /** Brings one host in line with what is wished of it at this moment. */
  private async bring(member: Member): Promise<void> {
    const { machine, wish } = member;
    if (!this.members.has(wish.id)) return;
    if (wish.state === "terminated") {
      this.log(`${wish.id} ends`);
      await this.takeAddresses(machine, []);
      await removeMachine(machine);
      this.members.delete(wish.id);
      this.record();
      return;
    }
    if (wish.state === "stopped") await this.powerOff(member);
    else if (!member.isOpen) await this.boot(member);
    if (wish.state === "running") await this.takeAddresses(machine, wish.elastic);
    await this.takeVolumes(member);
  }

  private async boot(member: Member): Promise<void> {
    const { machine, wish } = member;
    const { network } = this.plan;
    const started = performance.now();
    member.host = await bootHost({ machine, network });
    await this.takeVolumes(member);
    const consoleFile = join(machine.folder, "console-output");
    if (!existsSync(consoleFile)) {
      const done = await member.host.exec("bash -s", { input: firstBootScript(wish) });
      if (done.code !== 0) throw new Error(`its first boot failed: ${done.stderr}`);
      const text = consoleText(`ip-${wish.address.replaceAll(".", "-")}`, member.host.hostKey, new Date());
      await this.opened(member);
      writeFileSync(consoleFile, text);
    } else await this.opened(member);
    this.log(`${wish.id} has booted in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }

  private async opened(member: Member): Promise<void> {
    member.isOpen = true;
    await this.guard();
  }

  private async closed(member: Member): Promise<void> {
    member.isOpen = false;
    await this.guard();
  }

  private async powerOff(member: Member): Promise<void> {
    const { machine } = member;
    member.isOpen = false;
    if (running(machine)) {
      this.log(`${member.wish.id} stops`);
      await member.host?.exec("systemctl poweroff");
      // AWS takes the power away from an instance that doesn't shut down; it waits longer for that.
      await poll(() => (running(machine) ? undefined : true), { timeoutMs: 30_000, failure: () => "" }).catch(
        () => undefined,
      );
    }
    await removeGroup(machine.unit);
  }

  /** Restarts a host in order, behind the call that asked for it. */
  reboot(id: string): void {
    const member = this.members.get(id);
    if (member?.host === undefined) return;
    const { host } = member;
    void this.enqueue(member, async () => {
      await this.closed(member);
      await host.reboot();
      await this.opened(member);
    });
  }

  private async takeAddresses(machine: Machine, wanted: readonly string[]): Promise<void> {
    const { network } = this.plan;
    const inGuest = ["ip", "-netns", machine.unit] as const;
    const shown = await run(["ip", "-json", "-netns", machine.unit, "-4", "addr", "show", "dev", "eth0"]);
    if (shown.code !== 0) return; // It never booted.
    const links = JSON.parse(shown.stdout) as { addr_info: { local: string; prefixlen: number }[] }[];
    const had = (links[0]?.addr_info ?? []).filter((one) => one.prefixlen === 32).map((one) => one.local);
    for (const address of had.filter((one) => !wanted.includes(one))) {
      await must([...inGuest, "addr", "del", `${address}/32`, "dev", "eth0"]);
      await run(["ip", "neigh", "del", address, "dev", network.bridge]);
      await this.forget(address);
    }
    for (const address of wanted.filter((one) => !had.includes(one))) {
      await must([...inGuest, "addr", "replace", `${address}/32`, "dev", "eth0"]);
      const neighbour = [address, "lladdr", macOf(machine.address), "dev", network.bridge, "nud", "permanent"];
      await must(["ip", "neigh", "replace", ...neighbour]);
      await this.forget(address);
    }
  }

  /** Hosts that spoke to an address before remember whose it was. */
  private async forget(address: string): Promise<void> {
    for (const { machine } of this.members.values())
      await run(["ip", "-netns", machine.unit, "neigh", "flush", "to", address]);
  }

  private async takeVolumes({ machine, host, wish }: Member): Promise<void> {
    if (host === undefined) return;
    const wanted = wish.volumes.map(({ id }) => id);
    const had = disksOf(machine.folder);
    for (const disk of had.filter(({ serial }) => !wanted.some((id) => this.volumes.disk(id).serial === serial))) {
      await host.detach(disk);
    }
    for (const id of wanted) {
      const disk = this.volumes.disk(id);
      if (had.some(({ serial }) => serial === disk.serial)) continue;
      await this.volumes.ensure(id, this.facts);
      await host.attach(disk);
    }
  }

  /** Filters packets to the hosts as their security groups say. */
  private guard(): Promise<void> {
    return this.together(async () => {
      const open = [...this.members.values()].filter((member) => member.isOpen);
      const hosts = open.map(({ machine, wish }): Guarded => ({ link: machine.link, ...wish }));
      const rules = firewall(this.plan.network, this.plan.metadataPort, hosts);
      if (rules !== this.rules) await must(["nft", "-f", "-"], { input: rules });
      this.rules = rules;
    });
  }

  /** What the console of an instance shows; undefined until its first boot is through. */
  consoleOf(id: string): string | undefined {
    const member = this.members.get(id);
    const file = member === undefined ? "" : join(member.machine.folder, "console-output");
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  /** Whether the instance that has a volume has mounted it: AWS gives such a one back only once it is unmounted. */
  isMounted(volume: string): boolean {
    const holder = [...this.members.values()].find(({ wish }) => wish.volumes.some(({ id }) => id === volume));
    const device = this.volumes.deviceOf(volume);
    const init = holder === undefined ? undefined : guestInit(holder.machine);
    if (init === undefined || device === undefined) return false;
    return readFileSync(`/proc/${init}/mountinfo`, "utf8")
      .split("\n")
      .some((line) => line.split(" ")[2] === device);
  }

  /** What a host is reached by, once it has booted; undefined for an instance that isn't there. */
  async booted(id: string): Promise<Machine | undefined> {
    const member = this.members.get(id);
    await member?.queue;
    return member?.isOpen === true ? member.machine : undefined;
  }
}
