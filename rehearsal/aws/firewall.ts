import type { Network } from "../host/network";
import type { Ingress } from "./facts";

/** A host whose packets are filtered as its instance's security groups say. */
export interface Guarded {
  /** Its port of the site's bridge. */
  readonly link: string;
  readonly address: string;
  readonly hopLimit: number;
  readonly ingress: readonly Ingress[];
}

/** The name of the tables that the rules are in, one of family ip and one of family bridge. */
export const cloudTable = (network: Network): string => `${network.table}_aws`;

/** What an ingress rule lets in, as nftables' matches; nothing where it has no source here. */
function matches({ protocol, from, to, sources }: Ingress): string[] {
  const addresses = sources.filter((source) => !source.includes(":"));
  if (addresses.length === 0) return [];
  // An interval set takes no CIDR of length 0.
  const source = addresses.some((one) => one.endsWith("/0")) ? "" : `ip saddr { ${addresses.join(", ")} } `;
  if (protocol === "-1") return [`${source}accept`];
  if (protocol === "icmp") return [`${source}ip protocol icmp accept`];
  if (protocol !== "tcp" && protocol !== "udp") return [];
  return [`${source}${protocol} dport ${from ?? 0}-${to ?? 65535} accept`];
}

function chain(host: Guarded): string {
  // Without connection tracking, which bridges lack on many kernels: what opens no connection is an answer.
  return `  chain ${host.link} {
    ether type != ip accept
    tcp flags & (syn | ack) != syn accept
    icmp type { echo-reply, destination-unreachable, time-exceeded } accept
    udp sport { 53, 123 } accept
${[...new Set(host.ingress.flatMap(matches))].map((line) => `    ${line}\n`).join("")}    drop
  }
`;
}

/**
 * The rules, by nft(8), that make the security groups of these hosts real, and that lead the instance metadata's address
 * to its server here. All that goes to a host passes its port of the bridge, from this machine as from its neighbours.
 */
export function firewall(network: Network, metadataPort: number, hosts: readonly Guarded[]): string {
  const table = cloudTable(network);
  const jumps = hosts.map((host) => `    oifname "${host.link}" jump ${host.link}\n`).join("");
  const hops = hosts
    .map((host) => `    ip daddr ${host.address} tcp sport ${metadataPort} ip ttl set ${Math.min(host.hopLimit, 64)}\n`)
    .join("");
  return `\
table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "${network.bridge}" ip daddr 169.254.169.254 tcp dport 80 dnat to ${network.gateway}:${metadataPort}
  }
  chain forward {
    type filter hook forward priority filter - 1; policy accept;
    iifname "${network.bridge}" ip daddr 169.254.0.0/16 drop
  }
  chain output {
    type filter hook output priority mangle; policy accept;
${hops}  }
}
table bridge ${table}
delete table bridge ${table}
table bridge ${table} {
${hosts.map(chain).join("")}  chain output {
    type filter hook output priority filter; policy accept;
${jumps}  }
  chain forward {
    type filter hook forward priority filter; policy accept;
${jumps}  }
}
`;
}
