import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";

/** Least days after which S3 moves objects to infrequent access (S3 user guide, "Transitioning objects using Amazon S3 Lifecycle"). */
const leastColdDays = 30;

/** What keeps an app's archives from being what it declares on S3. */
export function checkArchiveTimes({ declaration }: ResolvedApp): Problem[] {
  return declaration.buckets.flatMap(({ name, coldAfter, expireAfter }) => {
    const where = `${declaration.name}.${name}`;
    const problems: Problem[] = [];
    if (coldAfter !== undefined && coldAfter.toDays() < leastColdDays) {
      problems.push({
        where: `${where}.coldAfter`,
        what: `Its objects are to be cold after ${coldAfter.toString()}; S3 takes ${leastColdDays} days and more.`,
        why: "Objects in infrequent access are billed for 30 days at least.",
        fix: `Declare coldAfter: Duration.days(${leastColdDays}) or more.`,
      });
    }
    if (coldAfter !== undefined && expireAfter !== undefined && expireAfter.toDays() <= coldAfter.toDays()) {
      problems.push({
        where: `${where}.expireAfter`,
        what: `Its objects would expire after ${expireAfter.toString()}, before they are cold.`,
        fix: "Declare a longer expireAfter, or no coldAfter.",
      });
    }
    return problems;
  });
}

/** One bucket for two apps: each may read and overwrite what the other keeps, and its rules would be those of the last. */
export function checkSharedArchives(apps: readonly ResolvedApp[]): Problem[] {
  const seen = new Map<string, string>();
  return apps.flatMap(({ declaration, settings }) =>
    declaration.buckets.flatMap((bucket): Problem[] => {
      const { name } = declaration;
      const existing = settings.buckets[bucket.name] ?? bucket.existing;
      const own = `${name}.${bucket.name}`;
      const other = existing === undefined ? undefined : seen.get(existing);
      if (existing !== undefined) seen.set(existing, other ?? own);
      if (existing === undefined || other === undefined) return [];
      const configured = settings.buckets[bucket.name] !== undefined;
      return [
        {
          where: configured ? `${name}:buckets` : own,
          what: `${other} and ${own} would both be kept in the bucket ${existing}.`,
          why: "Whoever may use a bucket may use all of it, so each could read and overwrite the other's objects.",
          fix:
            `name another bucket: pulumi config set --path ${name}:buckets.${bucket.name} NAME` +
            (configured ? `, or have one made: pulumi config rm --path ${name}:buckets.${bucket.name}` : ""),
        },
      ];
    }),
  );
}
