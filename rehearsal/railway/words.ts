/**
 * A command's words, as a start command is taken apart: by blanks, with quotes and backslashes. Nothing is expanded, as
 * Railway runs start commands of images and Dockerfiles without a shell: https://docs.railway.com/guides/start-command
 */
export function words(command: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < command.length; at++) {
    const letter = command[at]!;
    if (letter === "\\" && quote !== "'" && at + 1 < command.length) word = (word ?? "") + command[++at]!;
    else if (quote !== "") {
      if (letter === quote) quote = "";
      else word = (word ?? "") + letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= "";
    } else if (/\s/.test(letter)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else word = (word ?? "") + letter;
  }
  return word === undefined ? found : [...found, word];
}
