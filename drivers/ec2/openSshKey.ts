import { createHash, generateKeyPairSync } from "node:crypto";

/** An SSH key as OpenSSH's own programs read and write it. */
export interface SshKey {
  /** `ssh-ed25519 AAAA… comment`. */
  readonly publicKey: string;
  /** Secret: `-----BEGIN OPENSSH PRIVATE KEY-----…`. OpenSSH before 9.6 takes Ed25519 keys in no other form. */
  readonly privateKey: string;
}

/** Makes a new Ed25519 key without a passphrase. */
export function makeSshKey(comment: string): SshKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { x = "", d = "" } = privateKey.export({ format: "jwk" });
  return sshKeyOf(Buffer.from(d, "base64url"), Buffer.from(x, "base64url"), comment);
}

/**
 * Writes the two halves of a key (RFC 8709; the private one in the format of PROTOCOL.key in OpenSSH's source).
 * @param seed 32 bytes, secret
 * @param point 32 bytes, the public half
 */
export function sshKeyOf(seed: Buffer, point: Buffer, comment: string): SshKey {
  const type = "ssh-ed25519";
  const publicBlob = Buffer.concat([field(type), field(point)]);
  // Any number will do, twice the same: it tells a decrypted key from noise. This one doesn't change from run to run.
  const check = createHash("sha256").update(seed).digest().subarray(0, 4);
  const inner = [check, check, field(type), field(point), field(Buffer.concat([seed, point])), field(comment)];
  const length = inner.reduce((sum, part) => sum + part.length, 0);
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, index) => index + 1));
  const blob = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    number(1),
    field(publicBlob),
    field(Buffer.concat([...inner, padding])),
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return {
    publicKey: `${type} ${publicBlob.toString("base64")} ${comment}`,
    privateKey: ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n"),
  };
}

/** RFC 4251, 5: four bytes, the most significant first. */
function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 4251, 5: the length, then the bytes. */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([number(bytes.length), bytes]);
}
