import { shellQuote } from "../../../components/values/shell";

/** One word of a shell script, bash or any other, that stands for `text` exactly. */
export function shellWord(text: string): string {
  refuseNul(text);
  return shellQuote(text);
}

/** Two hex digits of a character below U+0100. */
export const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, "0");

/** No argument, variable or line of a unit can carry a NUL: the kernel ends strings there. */
export function refuseNul(text: string): void {
  if (text.includes("\0")) throw new Error(`A value holds a NUL character, which no process can be given: remove it.`);
}
