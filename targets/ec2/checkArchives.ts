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
