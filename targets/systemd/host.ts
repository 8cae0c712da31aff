import type { Connection } from "./plan";

/** A host that runs systemd, as a stack configures or a target has made it. */
export interface Host {
  /** As `<app>:host` names it. */
  readonly name: string;
  readonly connection: Connection;
  /** Where others reach it; shown in URLs. */
  readonly publicAddress: string;
  /** CIDRs that may open SSH, besides the address that deploys. */
  readonly sshFrom: readonly string[];
  /** Whether its packet filter is ours to set. */
  readonly firewall: boolean;
  readonly acme: { readonly email?: string; readonly directory?: string };
}
