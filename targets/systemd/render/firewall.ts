import { isIPv6 } from "node:net";
import type { HostPlan } from "../plan";
import { portKeys } from "./portKeys";
import { portToken } from "./names";

export const firewallPath = "/etc/homeport/firewall.nft";
export const firewallFolder = "/etc/homeport/firewall";

/**
 * The host's packet filter, nft(8): one transaction replaces the table that was. Apps' parts are included where they
 * belong. What is open is open for IPv4 and IPv6; other tables, such as a container engine's, aren't touched.
 */
export const firewallBase = `#!/usr/sbin/nft -f
# Packet filter of this host. Written by Homeport: a change made here is lost with the next deploy.
# Declared first, as a table that isn't there can't be deleted.
table inet homeport
delete table inet homeport

table inet homeport {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ct state established,related accept
    ct state invalid drop
    icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept
    # Without neighbours and routers there is no IPv6 (RFC 4890).
    meta l4proto ipv6-icmp accept
    meta nfproto ipv4 udp sport 67 udp dport 68 accept
    ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept
    # Containers ask the engine's name server on their bridge.
    iifname "podman*" meta l4proto { tcp, udp } th dport 53 accept
    iifname "cni-podman*" meta l4proto { tcp, udp } th dport 53 accept
    iifname "docker*" meta l4proto { tcp, udp } th dport 53 accept
    iifname "br-*" meta l4proto { tcp, udp } th dport 53 accept
    include "${firewallFolder}/*.nft"
  }
  chain output {
    type filter hook output priority filter; policy accept;
    include "${firewallFolder}/*.output"
  }
}
`;

/** Rules for the inside of the input chain: who may open SSH, and the ports that the app opens. */
export function firewallInput({ id, firewall }: HostPlan): string {
  const ssh = firewall.sshFrom.map((from) => `${source(from)}tcp dport @@ssh-port@@ accept\n`);
  const open = firewall.open.flatMap(({ port, from }) =>
    from.length === 0
      ? [`tcp dport ${port} accept\n`]
      : from.map((cidr) => `${source(cidr)}tcp dport ${port} accept\n`),
  );
  return `# What ${id} opens. Written by Homeport.\n${[...new Set([...ssh, ...open])].join("")}`;
}

function source(cidr: string): string {
  const [address = "", length] = cidr.split("/");
  const six = isIPv6(address);
  if (!/^[0-9a-fA-F.:]+$/.test(address) || (length !== undefined && !/^\d{1,3}$/.test(length))) {
    throw new Error(`"${cidr}" is no address or network, such as 192.0.2.0/24 or 2001:db8::/32.`);
  }
  // nft takes a network of length 0 for a mistake in some versions, and it says nothing.
  if (length === "0") return six ? "meta nfproto ipv6 " : "meta nfproto ipv4 ";
  return `${six ? "ip6" : "ip"} saddr ${cidr} `;
}

/** Rules for the output chain: the app's loopback ports are for itself, root and the proxy; other apps are refused. */
export function firewallOutput(plan: HostPlan): string | undefined {
  const ports = portKeys(plan).map(portToken);
  if (ports.length === 0) return undefined;
  const proxy = plan.services.some((service) => service.listens) ? ', "haproxy"' : "";
  return `# Loopback ports of ${plan.id}. Written by Homeport.
oifname "lo" tcp dport { ${ports.join(", ")} } meta skuid != { 0, "${plan.user}"${proxy} } reject with tcp reset
`;
}
