import { textsOf, unknown, type Props, type Rule, type Violation } from "./rule";

/** Shortest prefixes that aren't "everyone": two rules of half the internet each are as open as one of the whole. */
const shortest = { v4: 8, v6: 16 };

/** Whether a range holds so much of the internet that it keeps nobody out. */
export function isEveryone(cidr: string): boolean {
  const [address = "", bits = ""] = cidr.split("/");
  if (!/^\d+$/.test(bits)) return false;
  return Number(bits) < (address.includes(":") ? shortest.v6 : shortest.v4);
}

/** SSH closed to all but known addresses: scanners try passwords and old holes on every open port 22 within minutes. */
export const closedSsh: Rule = (type, props) => {
  switch (type) {
    case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
      return opened(props, "ipProtocol", ["cidrIpv4", "cidrIpv6"]);
    case "aws:ec2/securityGroupRule:SecurityGroupRule":
      return props["type"] === "ingress" ? opened(props, "protocol", ["cidrBlocks", "ipv6CidrBlocks"]) : [];
    case "aws:ec2/securityGroup:SecurityGroup":
    case "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
      return (Array.isArray(props["ingress"]) ? (props["ingress"] as unknown[]) : []).flatMap((rule) =>
        typeof rule === "object" && rule !== null
          ? opened(rule as Props, "protocol", ["cidrBlocks", "ipv6CidrBlocks"])
          : [],
      );
    default:
      return [];
  }
};

function opened(rule: Props, protocolKey: string, sources: readonly string[]): Violation[] {
  const from = sources.flatMap((key) => textsOf(rule[key])).filter(isEveryone);
  if (from.length === 0 || !holdsSsh(rule, rule[protocolKey])) return [];
  return [
    {
      what: `It lets everyone (${from.join(", ")}) in on port 22.`,
      why: "An open SSH port is tried by strangers all day, and one weak key or one hole in sshd lets them in.",
      fix: "Name the addresses that deploy, `pulumi config set --path 'ec2:sshFrom[0]' ADDRESS/32`, or use Session Manager, `pulumi config set ec2:session true`.",
    },
  ];
}

/** Protocols by name or number; -1 is all of them and all ports (EC2 API reference, IpPermission). */
function holdsSsh(rule: Props, protocol: unknown): boolean {
  const { fromPort, toPort } = rule;
  if (protocol === "-1" || protocol === -1 || protocol === "all") return true;
  if (protocol !== "tcp" && protocol !== "6" && protocol !== 6) return false;
  if (fromPort === unknown || toPort === unknown) return false;
  // A TCP rule without ports, or with -1, means all of them.
  if (fromPort === undefined || Number(fromPort) === -1) return true;
  return Number(fromPort) <= 22 && 22 <= Number(toPort ?? fromPort);
}
