import { BlockList, isIPv4 } from "node:net";

/** Networks that AWS gives no public address of: RFC 1918, RFC 6598, loopback and link-local addresses. */
const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
] as const)
  privateNetworks.addSubnet(network, prefix);

/**
 * Where an instance is by now, if that isn't where the stack goes: an address that is no Elastic IP changes with each stop and
 * start. Pure.
 * @param address what the stack goes by; host names and private addresses lead there in ways that AWS doesn't know of
 * @param publicIp what AWS says; empty or undefined of an instance without one, as of a stopped one
 */
export function movedTo(address: string, publicIp: string | undefined): string | undefined {
  if (publicIp === undefined || publicIp === "" || publicIp === address) return undefined;
  return isIPv4(address) && !privateNetworks.check(address) ? publicIp : undefined;
}
