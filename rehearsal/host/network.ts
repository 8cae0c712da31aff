import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { present } from "./tools";
import { RehearsalError, must, run } from "./run";

/** A site's own network: a bridge with an address on this machine, NAT to the outside, one veth pair for each host. */
export interface Network {
  /** The bridge's interface name. */
  readonly bridge: string;
  /** The nftables table (family ip) with the site's rules. */
  readonly table: string;
  /** The first three bytes of its /24, such as `10.173.9`. */
  readonly subnet: string;
  /** This machine's address in it: where hosts find what runs on this machine, such as the S3 emulator. */
  readonly gateway: string;
  /** The largest packet that fits the way out, in bytes. */
  readonly mtu: number;
}

/** Parses dotted IPv4 to a number; undefined for anything else. */
function ipv4(text: string): number | undefined {
  const bytes = text.split(".").map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Whether 10.a.b.0/24 overlaps a route (`10.0.0.0/8`, `10.1.2.3`; the default route overlaps nothing). */
export function overlaps(subnet: string, route: string): boolean {
  const [base, bits = "32"] = route.split("/");
  const ours = ipv4(`${subnet}.0`);
  const theirs = ipv4(base ?? "");
  if (ours === undefined || theirs === undefined) return false;
  const size = 2 ** (32 - Math.min(Number(bits), 24));
  return Math.floor(ours / size) === Math.floor(theirs / size);
}

/**
 * Picks a /24 that overlaps none of `taken`. It lies in 10.128.0.0/10, clear of what containers and home networks use
 * (podman hands out 10.88.0.0/16 and 10.89.0.0/16).
 */
export function pickSubnet(taken: readonly string[], random: (below: number) => number = randomInt): string {
  for (let tries = 0; tries < 1000; tries++) {
    const subnet = `10.${128 + random(64)}.${random(256)}`;
    if (!taken.some((route) => overlaps(subnet, route))) return subnet;
  }
  throw new RehearsalError(
    "No free /24 was found in 10.128.0.0/10 for the rehearsal's network: `ip route` shows what uses it.",
  );
}

interface Route {
  readonly dst: string;
  readonly dev?: string;
}

interface Link {
  readonly ifname: string;
  readonly mtu: number;
}

/** Chooses a network for a site from what is free on this machine. Nothing is made yet. */
export async function planNetwork(tag: string, nameservers: readonly string[]): Promise<Network> {
  const routes = JSON.parse(await must(["ip", "-json", "-4", "route", "show", "table", "all"])) as Route[];
  const links = JSON.parse(await must(["ip", "-json", "link"])) as Link[];
  const way = routes.find((route) => route.dst === "default")?.dev;
  const subnet = pickSubnet([...routes.map((route) => route.dst), ...nameservers]);
  const mtu = links.find((link) => link.ifname === way)?.mtu ?? 1500;
  return { bridge: `hp${tag}`, table: `homeport_${tag}`, subnet, gateway: `${subnet}.1`, mtu };
}

/** The site's nftables rules: source NAT for what leaves the subnet, and leave to be forwarded. */
export function rules(network: Network): string {
  const inside = `${network.subnet}.0/24`;
  // Named, deleted and made anew in one transaction: right whether it was there or not, and never half there.
  return `\
table ip ${network.table}
delete table ip ${network.table}
table ip ${network.table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${network.bridge}" accept
    oifname "${network.bridge}" accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${inside} ip daddr != ${inside} masquerade
  }
}
`;
}

/** A Docker engine sets iptables' FORWARD policy to drop, which an accept in another table doesn't undo. */
const forwardRules = (bridge: string): [string, string][] => [
  ["-i", bridge],
  ["-o", bridge],
];

/** The hardware address that belongs to an address of the network: locally administered, and as unique as that. */
export function macOf(address: string): string {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  return `02:68:${bytes.join(":")}`;
}

/** Makes the network, or what of it is missing. */
export async function setUpNetwork(network: Network): Promise<void> {
  const { bridge } = network;
  if ((await run(["ip", "link", "show", bridge])).code !== 0)
    await must(["ip", "link", "add", bridge, "type", "bridge"]);
  // A bridge without an address of its own takes one of its ports', and hosts lose it when that port goes.
  await must(["ip", "link", "set", bridge, "address", macOf(network.gateway)]);
  await must(["ip", "addr", "replace", `${network.gateway}/24`, "dev", bridge]);
  await must(["ip", "link", "set", bridge, "mtu", String(network.mtu), "up"]);
  await must(["nft", "-f", "-"], { input: rules(network) });
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  if (!present("iptables")) return;
  for (const rule of forwardRules(bridge)) {
    if ((await run(["iptables", "-w", "-C", "FORWARD", ...rule, "-j", "ACCEPT"])).code === 0) continue;
    await must(["iptables", "-w", "-I", "FORWARD", ...rule, "-j", "ACCEPT"]);
  }
}

/** Removes the network, or what is left of it. */
export async function tearDownNetwork(network: Network): Promise<void> {
  await run(["nft", "delete", "table", "ip", network.table]);
  await run(["ip", "link", "del", network.bridge]);
  if (!present("iptables")) return;
  for (const rule of forwardRules(network.bridge)) {
    while ((await run(["iptables", "-w", "-D", "FORWARD", ...rule, "-j", "ACCEPT"])).code === 0);
  }
}

/** The nameservers that a host in another network namespace can reach, from the contents of this machine's resolv.conf files. */
export function reachableNameservers(...resolvConfs: readonly string[]): string[] {
  return resolvConfs
    .flatMap((text) => [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1]!))
    .filter((address) => ipv4(address) !== undefined && !address.startsWith("127."));
}
