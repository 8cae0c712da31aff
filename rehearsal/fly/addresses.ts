import type { Handler } from "./operation";
import type { Address, App } from "./state";
import { appOf, isListed, nextNumber, refuse } from "./world";
import type { World } from "./world";

/** Gives an app an address. Documentation's own ranges: nothing of the world has them (RFC 5737, RFC 3849). */
export function assignAddress(world: World, app: App, type: string, region = "global"): Address {
  const number = nextNumber(world);
  const shared = app.addresses.find((address) => address.type === "shared_v4");
  if (type === "shared_v4" && shared !== undefined) return shared;
  const ips: Readonly<Record<string, string>> = {
    v4: `203.0.113.${number % 250}`,
    shared_v4: "192.0.2.1",
    private_v6: `fdaa:0:1:0:1::${number.toString(16)}`,
  };
  const address: Address = {
    id: `ip_${number.toString(36).padStart(16, "0")}`,
    ip: ips[type] ?? `2001:db8:1::${number.toString(16)}`,
    type,
    region,
    shared: type === "shared_v4",
    createdAt: new Date(world.clock.now()).toISOString(),
  };
  app.addresses.push(address);
  world.store.save();
  world.changes.emit("network");
  return address;
}

const view = ({ ip, type, region, shared, createdAt }: Address): Record<string, unknown> => ({
  ip,
  region,
  service_name: "",
  shared,
  egress: type.startsWith("egress"),
  network: type === "private_v6" ? { name: "default" } : null,
  created_at: createdAt,
});

export const listIPs: Handler = ({ world, token, values }) => {
  const { addresses } = appOf(world, token, values["app_name"]!);
  const listed = addresses.filter(({ createdAt }) => isListed(world, createdAt));
  return { status: 200, body: { ips: listed.map(view) } };
};

export const assignIP: Handler = ({ world, token, values, body }) => {
  const app = appOf(world, token, values["app_name"]!);
  const { type, region } = body as { type: string; region?: string };
  return { status: 200, body: view(assignAddress(world, app, type, region)) };
};

export const releaseIP: Handler = ({ world, token, values }) => {
  const app = appOf(world, token, values["app_name"]!);
  const ip = values["ip"]!;
  if (!app.addresses.some((address) => address.ip === ip)) throw refuse(404, `IP address not found: ${ip}`);
  app.addresses = app.addresses.filter((address) => address.ip !== ip);
  world.store.save();
  world.changes.emit("network");
  return { status: 204 };
};
