import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/** A value that no argument can carry: a secret, which every process of the machine could read there, or a structure. */
export type Filling = { readonly secret: string } | { readonly json: unknown };

/** How the engine turns a passphrase into a key: `NewSymmetricCrypterFromPassphrase` of its sdk/go/common/resource/config. */
const keyOf = (passphrase: string, salt: Buffer): Buffer => pbkdf2Sync(passphrase, salt, 1_000_000, 32, "sha256");

/** A value as `pulumi config set --secret` writes it: AES-256-GCM, `v1:<nonce>:<text and tag>`. */
function seal(key: Buffer, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}

/**
 * Puts values into a stack's file in place of words that stand for them there. The engine's own commands take several
 * values by argv alone, or one by stdin, a second each.
 * @param words The word that stands for each value.
 */
export function fillIn(file: string, passphrase: string, words: ReadonlyMap<string, Filling>): void {
  let text = readFileSync(file, "utf8");
  const salt = /^encryptionsalt: v1:([^:\s]+):/m.exec(text)?.[1];
  if (salt === undefined) throw new Error(`${file} has no encryptionsalt, which the engine writes with a new stack.`);
  let key: Buffer | undefined;
  for (const [word, value] of words) {
    if (!text.includes(` ${word}\n`)) throw new Error(`${file} doesn't hold the value ${word}.`);
    // JSON is YAML as well.
    const yaml =
      "json" in value
        ? ` ${JSON.stringify(value.json)}`
        : `\n    secure: ${seal((key ??= keyOf(passphrase, Buffer.from(salt, "base64"))), value.secret)}`;
    text = text.replace(` ${word}\n`, () => `${yaml}\n`);
  }
  writeFileSync(file, text);
}
