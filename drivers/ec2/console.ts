/**
 * The host's public key in what an instance has printed to its console: cloud-init's module `keys-to-console` prints
 * them all between two marks, once a boot (https://cloudinit.readthedocs.io/en/latest/reference/modules.html).
 * @returns `ssh-ed25519 AAAA…`, or of another type where there is none; of the last boot that printed them whole
 */
export function hostKeyIn(output: string): string | undefined {
  const blocks = output.split("-----BEGIN SSH HOST KEY KEYS-----").slice(1);
  const last = blocks.reverse().find((block) => block.includes("-----END SSH HOST KEY KEYS-----"));
  const keys = last?.split("-----END SSH HOST KEY KEYS-----")[0] ?? "";
  for (const type of ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]) {
    // Kernel messages may come between the lines, and the console's own time before them.
    const found = new RegExp(`(?:^|\\s)${type} (AAAA[A-Za-z0-9+/]+={0,2})(?=\\s|$)`, "m").exec(keys);
    if (found !== null) return `${type} ${found[1] ?? ""}`;
  }
  return undefined;
}
