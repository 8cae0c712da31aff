import { boolean, cidr, list, mapOf, port, shape, text, url } from "../../components/parsers";
import { setting, type Settings, type ValuesOf } from "../../components/settings";

/** `vps:<key>`. */
export const vpsSettings = {
  hosts: setting(
    mapOf(
      shape({
        /** Address or host name that SSH connects to. */
        address: text,
        /** SSH's port. @default 22 */
        port,
        /** Root, or a user with `sudo` without a password. @default root */
        user: text,
        /** The host's public key, as `ssh-keyscan -t ed25519 ADDRESS` prints it after the address. */
        hostKey: text,
        /** Where others reach it, where that isn't `address`. */
        publicAddress: text,
        /** CIDRs that may open SSH, besides the address that deploys. */
        sshFrom: list(cidr),
        /** False where the packet filter is somebody else's. @default true */
        firewall: boolean,
      }),
    ),
    {
      about: "The hosts, by name: address, port, user, hostKey, publicAddress, sshFrom, firewall.",
      example: '{"main":{"address":"203.0.113.7","hostKey":"ssh-ed25519 AAAA…"}}',
    },
    {},
  ),
  privateKey: setting(text, {
    about: "SSH key for the hosts. Left out, your ssh agent and files are used.",
    example: "…",
    secret: true,
  }),
  acmeEmail: setting(text, { about: "Contact for the certificates of domains.", example: "ops@example.com" }),
  acmeDirectory: setting(url("https"), {
    about: "ACME directory for certificates, where it isn't Let's Encrypt.",
    example: "https://acme-staging-v02.api.letsencrypt.org/directory",
  }),
} satisfies Settings;

export type VpsSettings = ValuesOf<typeof vpsSettings>;
