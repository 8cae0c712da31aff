import type { AppName } from "./world";

/** Where each app is in one `up`, by target's name. */
export type Homes = Readonly<Record<AppName, string>>;

/** One line an app, one column an `up`: an app stays where the column before had it, where it is the same. */
const rounds: Readonly<Record<AppName, readonly string[]>> = {
  clausea: ["railway", "render", "fly", "vps", "ec2", "railway"],
  hotrod: ["render", "ec2", "ec2", "ec2", "fly", "vps"],
  tileshop: ["fly", "vps", "ec2", "render", "railway", "railway"],
  catscan: ["fly", "render", "railway", "railway", "railway", "railway"],
  shopifly: ["render", "render", "render", "render", "render", "render"],
};

/** The same by `up`. */
export const ups: readonly Homes[] = rounds.clausea.map(
  (_, up) => Object.fromEntries(Object.entries(rounds).map(([app, homes]) => [app, homes[up]])) as Homes,
);

/** What other rehearsals bring up, by their file. */
export const elsewhere: Readonly<Record<string, readonly string[]>> = {
  "stack.test.ts": ["shopifly vps", "catscan vps"],
  "ec2.test.ts": ["shopifly ec2", "catscan ec2"],
  "railway-stack.test.ts": ["hotrod railway"],
};
