import { isIPv6 } from "node:net";
import type { HostPlan } from "../plan";
import { portKeys } from "./portKeys";
import { portToken } from "./names";
import { rootFile, type InstalledFile } from "./stageFile";

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
    include "${firewallFolder}/*.others"
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

/**
 * Rules for the output chain: the app's loopback ports are for itself, root and the proxy, so that other apps are refused; and
 * an app that uses a bucket as the machine may ask for the machine's identity.
 */
export function firewallOutput(plan: HostPlan): string | undefined {
  const ports = portKeys(plan).map(portToken);
  const proxy = plan.services.some((service) => service.listens) ? ', "haproxy"' : "";
  const rules = [
    ...(ports.length === 0
      ? []
      : [
          `# Loopback ports of ${plan.id}. Written by Homeport.\n`,
          `oifname "lo" tcp dport { ${ports.join(", ")} } meta skuid != { 0, "${plan.user}"${proxy} } reject with tcp reset\n`,
        ]),
    ...(usesIdentity(plan)
      ? [
          `# Identity of the machine, for ${plan.id}'s buckets.\n`,
          ...metadata.map((address) => `${address} meta skuid "${plan.user}" accept\n`),
        ]
      : []),
  ];
  return rules.length === 0 ? undefined : rules.join("");
}

const usesIdentity = (plan: HostPlan): boolean => plan.buckets.some((bucket) => bucket.key === undefined);

/** The instance metadata service (EC2 user guide, "Access instance metadata for an EC2 instance"). */
const metadata = ["ip daddr 169.254.169.254", "ip6 daddr fd00:ec2::254"];

/**
 * Whoever reaches the metadata service is the machine: besides root, apps with buckets alone, and the user by which EC2 Instance
 * Connect asks for keys to let in. Containers stay out by the hop limit.
 */
export const metadataFiles = (plan: HostPlan): readonly InstalledFile[] =>
  plan.monitoring !== undefined || usesIdentity(plan)
    ? [
        rootFile(
          `${firewallFolder}/metadata.others`,
          0o600,
          `# Who may be this machine. Written by Homeport.\n${metadata
            .map((address) => `${address} meta skuid != { 0@@instance-connect@@ } reject\n`)
            .join("")}`,
        ),
      ]
    : [];
