import { request } from "node:http";
import { connect } from "node:net";
import type { CheckConfig, CheckStatus, Machine, MachineConfig } from "./state";
import { changed, durationMs } from "./world";
import type { World } from "./world";

/** A check with the name that the API gives it. */
export interface NamedCheck {
  readonly name: string;
  readonly check: CheckConfig;
  readonly port: number;
  /** Whether the proxy keeps away from a machine that fails it. */
  readonly routes: boolean;
}

/** A machine's checks: its services' and its own. */
export function checksOf(config: MachineConfig): NamedCheck[] {
  const ofServices = (config.services ?? []).flatMap((service) =>
    (service.checks ?? []).map((check, index) => ({
      name: `servicecheck-${String(index).padStart(2, "0")}-${check.type ?? "tcp"}-${service.internal_port}`,
      check,
      port: check.port ?? service.internal_port,
      routes: true,
    })),
  );
  const own = Object.entries(config.checks ?? {}).map(([name, check]) => ({
    name,
    check,
    port: check.port ?? config.services?.[0]?.internal_port ?? 0,
    routes: check.kind === "readiness",
  }));
  return [...ofServices, ...own];
}

interface Probed {
  readonly isPassing: boolean;
  readonly output: string;
}

function probeTcp(host: string, port: number, timeout: number): Promise<Probed> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout });
    const end = (isPassing: boolean, output: string): void => {
      socket.destroy();
      resolve({ isPassing, output });
    };
    socket.once("connect", () => {
      end(true, "Success");
    });
    socket.once("timeout", () => {
      end(false, "i/o timeout");
    });
    socket.once("error", (error) => {
      end(false, error.message);
    });
  });
}

function probeHttp(host: string, port: number, timeout: number, check: CheckConfig): Promise<Probed> {
  return new Promise((resolve) => {
    const headers = Object.fromEntries((check.headers ?? []).map(({ name = "", values = [] }) => [name, [...values]]));
    const asked = request(
      { host, port, timeout, method: check.method ?? "GET", path: check.path ?? "/", headers, agent: false },
      (response) => {
        response.resume();
        const code = response.statusCode ?? 0;
        // Any 2xx, and no redirect: https://fly.io/docs/reference/health-checks/
        resolve({ isPassing: code >= 200 && code < 300, output: `HTTP GET ${check.path ?? "/"}: ${code}` });
      },
    );
    asked.once("timeout", () => {
      asked.destroy(new Error("context deadline exceeded"));
    });
    asked.once("error", (error) => {
      resolve({ isPassing: false, output: error.message });
    });
    asked.end();
  });
}

/** Probes a machine's port once, as one of its checks does. */
async function probe(world: World, machine: Machine, { check, port }: NamedCheck): Promise<Probed> {
  if (machine.isSick) return { isPassing: false, output: "connect: connection refused" };
  const address = world.runtime.address(machine.id, port);
  if (address === undefined) return { isPassing: true, output: "Success" };
  const timeout = durationMs(check.timeout, 2_000);
  return check.type === "http"
    ? probeHttp(address.host, address.port, timeout, check)
    : probeTcp(address.host, address.port, timeout);
}

function note(world: World, machine: Machine, name: string, status: CheckStatus["status"], output: string): void {
  const known = machine.checks.find((one) => one.name === name);
  const now = new Date(world.clock.now()).toISOString();
  if (known?.status === status && known.output === output) {
    known.updated_at = now;
    return;
  }
  machine.checks = [...machine.checks.filter((one) => one.name !== name), { name, status, output, updated_at: now }];
  changed(world, machine);
}

/** Probes each check of each started machine at its interval, until it is stopped. */
export class Prober {
  private readonly running = new Map<string, AbortController>();
  private readonly look: (id: string) => void;

  constructor(private readonly world: World) {
    this.look = (id): void => {
      this.follow(id);
    };
    world.changes.on("machine", this.look);
    for (const id of Object.keys(world.state.machines)) this.follow(id);
  }

  private follow(id: string): void {
    const machine = this.world.state.machines[id];
    const known = this.running.get(id);
    const isWanted = machine?.state === "started" && machine.isUp;
    if (machine !== undefined && isWanted && known === undefined) {
      const end = new AbortController();
      this.running.set(id, end);
      for (const one of checksOf(machine.config)) void this.repeat(machine, one, end.signal);
    }
    if (!isWanted && known !== undefined) {
      known.abort();
      this.running.delete(id);
    }
  }

  private async repeat(machine: Machine, one: NamedCheck, end: AbortSignal): Promise<void> {
    const { world } = this;
    const began = world.clock.now();
    const grace = durationMs(one.check.grace_period, 0);
    note(world, machine, one.name, "warning", "the machine hasn't been checked yet");
    while (!end.aborted) {
      const { isPassing, output } = await probe(world, machine, one);
      if (end.aborted as boolean) return;
      // In its grace period a check that fails is a warning still.
      const isEarly = world.clock.now() - began < grace;
      note(world, machine, one.name, isPassing ? "passing" : isEarly ? "warning" : "critical", output);
      const interval = Math.min(durationMs(one.check.interval, 10_000), world.timings.check);
      await world.clock.sleep(isPassing ? interval : Math.min(interval, 250));
    }
  }

  close(): void {
    this.world.changes.off("machine", this.look);
    for (const end of this.running.values()) end.abort();
    this.running.clear();
  }
}
