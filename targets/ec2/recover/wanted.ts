import type { PendingCreation } from "../../recovery";
import type { AwsConnection } from "../awsConfig";

/** A pending creation as the finders read it. */
export interface Wanted extends PendingCreation {
  readonly aws: AwsConnection;
  readonly region: string;
  /** A text among the inputs; empty where there is none, or none that can be read. */
  text(name: string): string;
}

export function wantedOf(creation: PendingCreation, aws: AwsConnection): Wanted {
  const text = (name: string): string => {
    const value = creation.inputs[name];
    return typeof value === "string" ? value : "";
  };
  return { ...creation, aws, region: text("region") || aws.region, text };
}

/** The tags that it was to have. */
export function tagsOf({ inputs }: Wanted): Readonly<Record<string, string>> {
  const { tags } = inputs;
  if (typeof tags !== "object" || tags === null) return {};
  return Object.fromEntries(
    Object.entries(tags).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

/** Filters of EC2 by these tags. What a tag's value isn't known of yet is left out. */
export const tagFilters = (wanted: Wanted): { Name: string; Values: string[] }[] =>
  Object.entries(tagsOf(wanted)).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));

/** Whether something was made after the creation can have begun; AWS tells full seconds. */
export const isNewEnough = ({ since }: Wanted, made: Date | undefined): boolean =>
  since === undefined || made === undefined || made.getTime() >= Math.floor(since.getTime() / 1000) * 1000;

/** As `pulumi import` has ids of other regions than the provider's own (aws provider 7, "Enhanced region support"). */
export const inRegion = (id: string, { region, aws }: Wanted): { importId?: string } =>
  region === aws.region ? {} : { importId: `${id}@${region}` };

/**
 * The state of what the provider couldn't read back in an import, passwords among it: its inputs, as the provider itself has
 * them when it reads a resource that it has just made.
 */
export const stateOf = ({ inputs }: Wanted, more: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("__"))),
  ...more,
});

/** What AWS answers, undefined where it says that there is no such thing. */
export async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && /NotFound|NoSuch/.test(error.name)) return undefined;
    throw error;
  }
}
