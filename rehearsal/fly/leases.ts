import { randomBytes } from "node:crypto";
import { Refusal } from "../platform/http";
import { without } from "../platform/without";
import type { Handler } from "./operation";
import { appOf, machineOf, refuse } from "./world";
import type { Lease, Machine } from "./state";
import type { World } from "./world";

const conflict = (machine: Machine, lease: Lease): Refusal => {
  const until = new Date(lease.expires_at * 1000).toISOString();
  const message = `machine ID ${machine.id} lease currently held by ${lease.owner}, expires at ${until}`;
  return new Refusal({ status: 409, body: { status: "error", code: "conflict", message, error: message } });
};

/** A machine's lease that is still good. */
export function leaseOf(world: World, machine: Machine): Lease | undefined {
  const { lease } = machine;
  return lease !== undefined && lease.expires_at * 1000 > world.clock.now() ? lease : undefined;
}

/** Throws 409 where somebody else holds a machine's lease. */
export function requireLease(world: World, machine: Machine, nonce: string | undefined): void {
  const lease = leaseOf(world, machine);
  if (lease !== undefined && lease.nonce !== nonce) throw conflict(machine, lease);
}

/** Gives a machine's lease for so many seconds. */
export function grantLease(world: World, machine: Machine, ttl: number, description = ""): Lease {
  const kept = leaseOf(world, machine)?.nonce;
  const lease: Lease = {
    nonce: kept ?? randomBytes(6).toString("hex"),
    expires_at: Math.floor(world.clock.now() / 1000 + ttl),
    owner: "rehearsal@example.com",
    description,
    version: machine.instanceId,
  };
  machine.lease = lease;
  world.store.save();
  return lease;
}

export const createLease: Handler = ({ world, token, values, query, body, nonce }) => {
  const machine = machineOf(world, appOf(world, token, values["app_name"]!), values["machine_id"]!);
  requireLease(world, machine, nonce);
  const { ttl, description } = (body ?? {}) as { ttl?: number; description?: string };
  // fly-go sends it in the query, the documentation in the body. An hour is the documented default.
  const seconds = ttl ?? Number(query.get("ttl") ?? 3600);
  return { status: 201, body: { status: "success", data: grantLease(world, machine, seconds, description) } };
};

export const getLease: Handler = ({ world, token, values }) => {
  const machine = machineOf(world, appOf(world, token, values["app_name"]!), values["machine_id"]!);
  const lease = leaseOf(world, machine);
  if (lease === undefined) throw refuse(404, `lease not found for machine ${machine.id}`);
  return { status: 200, body: { status: "success", data: without(lease, "nonce") } };
};

export const releaseLease: Handler = ({ world, token, values, nonce }) => {
  const machine = machineOf(world, appOf(world, token, values["app_name"]!), values["machine_id"]!);
  requireLease(world, machine, nonce);
  delete machine.lease;
  world.store.save();
  return { status: 200, body: { ok: true } };
};
