import type { AppDeclaration, ChecklistItem } from "../components/declaration";
import { UsageError } from "./errors";
import { closest } from "../components/values/closest";
import { didYouMean } from "../components/problems";

type When = ChecklistItem["when"];
const occasions: readonly { readonly word: string; readonly when: When }[] = [
  { word: "before", when: "before the first deploy" },
  { word: "after", when: "after a deploy" },
  { word: "weekly", when: "weekly" },
];

/** The occasion that `--when` means: its first word, or all of its words. */
export function occasion(text: string): When {
  const wanted = text.trim().toLowerCase();
  const found = occasions.find(({ word, when }) => wanted === word || wanted === when);
  if (found !== undefined) return found.when;
  const words = occasions.map(({ word }) => word);
  throw new UsageError(`--when can't be "${text}"${didYouMean(closest(wanted, words))}`, `one of ${words.join(", ")}`);
}

/** The list as text to tick off, by occasion. */
export function checklistText({ name, checklist }: AppDeclaration, when?: When): string {
  const blocks = occasions.flatMap((one) => {
    const items = checklist.filter((item) => item.when === one.when && (when === undefined || item.when === when));
    if (items.length === 0) return [];
    const lines = items.flatMap(({ what, command }) => [
      `  [ ] ${what}`,
      ...(command === undefined ? [] : [`      ${command}`]),
    ]);
    return [[`${name}, ${one.when}:`, ...lines].join("\n")];
  });
  return blocks.length === 0 ? `${name} has no such list.` : blocks.join("\n\n");
}
