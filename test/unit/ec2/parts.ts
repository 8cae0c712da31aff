import * as pulumi from "@pulumi/pulumi";
import type { Bucket, Database } from "../../../components/declaration";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { mockAws, type AwsMocks } from "../../support/awsMocks";
import type { Recorded } from "../../support/mocks";

/** As much of an app as the parts around a host look at. */
export function partsOf(fields: { buckets?: readonly Partial<Bucket>[]; existing?: Record<string, string> } = {}) {
  return {
    stack: "prod",
    declaration: { name: "catscan", buckets: fields.buckets ?? [] },
    settings: { buckets: fields.existing ?? {} },
  } as unknown as ResolvedApp;
}

export const bucketOf = (fields: Partial<Bucket> = {}): Bucket => ({ name: "archive", ...fields }) as Bucket;
export const databaseOf = (fields: Partial<Database>): Database => fields as Database;

/** What a part registered below a component of its own. */
export class Registered {
  constructor(private readonly mocks: AwsMocks) {}

  ofType(type: string): Recorded[] {
    return this.mocks.recorded.filter((one) => one.type === type);
  }

  /** Inputs of the only resource of a type. */
  inputs(type: string): Record<string, unknown> {
    const [one, ...more] = this.ofType(type);
    if (one === undefined || more.length > 0) throw new Error(`${more.length + Number(one !== undefined)} of ${type}`);
    return one.inputs;
  }

  /** The policy of a resource, by name. */
  policy(name: string): { Statement: Record<string, unknown>[] } {
    const found = this.mocks.recorded.find((one) => one.name === name);
    return JSON.parse(String(found?.inputs.policy)) as { Statement: Record<string, unknown>[] };
  }

  options(type: string, name: string) {
    return this.mocks.options.get(`${type} ${name}`);
  }

  get types(): string[] {
    return this.mocks.recorded.map(({ type }) => type).filter((type) => type !== "test:index:Parent");
  }
}

/** Registers a part against the mocked AWS, to its end. */
export async function register<T>(
  make: (parent: pulumi.ComponentResource) => T,
): Promise<{ made: T; registered: Registered }> {
  const mocks = await mockAws();
  const made = make(new pulumi.ComponentResource("test:index:Parent", "parent"));
  await pulumi.runtime.disconnect();
  return { made, registered: new Registered(mocks) };
}
