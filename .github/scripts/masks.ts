/**
 * The engine masks what it knows to be secret. What is published of a preview passes through here as well: names and forms
 * that speak of a credential hide a value that somebody forgot to mark.
 */

/** What the engine shows in place of a secret. */
export const secretMark = "[secret]";

const secretName = /pass(word|phrase|wd)|secret|token|credential|(private|api|access)[-_]?key/i;

/** Whether the name of a field speaks of a secret: any part of its path. */
export const namesSecret = (path: string): boolean => secretName.test(path);

/** Takes passwords out of URLs, private keys, and tokens of the forms that AWS, GitHub and Pulumi give theirs. */
export function withoutCredentials(text: string): string {
  return text
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, secretMark)
    .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*:)[^\s/@"']+@/gi, `$1${secretMark}@`)
    .replaceAll(
      /\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bpul-[0-9a-f]{40}\b/g,
      secretMark,
    );
}

/** Shows characters that draw nothing, or that turn the text around, by their numbers; line ends and tabs stay. */
export function visible(text: string): string {
  return text.replaceAll(
    /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
