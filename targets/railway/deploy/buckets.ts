import { createOnce } from "../../../drivers/http";
import type { BucketCredentials, Named } from "../api/types";
import type { RailwayService } from "../plan";
import { bucketToken } from "../values";
import { bucketName } from "./choose";
import { commitPatch } from "./environment";
import type { Place } from "./find";
import { bucketsOf, type Found } from "./look";
import { lookSeconds } from "./lost";
import type { Run } from "./run";

type Credentials = Readonly<Record<string, BucketCredentials>>;

/** Makes the planned buckets. @returns how each is reached, by the plan's name; secret */
export async function ensureBuckets(run: Run, place: Place, found: Found): Promise<Credentials> {
  const credentials: Record<string, BucketCredentials> = {};
  for (const { name, region } of run.spec.buckets) {
    const physical = bucketName(run.spec, name);
    const bucket = found.buckets.find((one) => one.name === physical) ?? (await create(run, place, physical));
    if (!(await isThere(run, place, bucket.id))) {
      const buckets = { [bucket.id]: { region, isCreated: true } };
      await commitPatch(run, place.environmentId, { buckets }, "Make a bucket");
      run.changed(`bucket ${physical} is made in ${region}`);
    }
    const made = await credentialsOf(run, place, bucket.id, physical);
    credentials[name] = made;
    run.railway.client.hide(made.secretAccessKey);
  }
  return credentials;
}

async function create(run: Run, { projectId }: Place, name: string): Promise<Named> {
  const { railway } = run;
  const deadline = railway.deadline(240, `bucket ${name} to be created`);
  return createOnce<Named>(railway.client, {
    deadline,
    create: async () => {
      const answer = await railway.make<{ bucketCreate: Named }>(
        "mutation CreateBucket($input: BucketCreateInput!) { bucketCreate(input: $input) { id name } }",
        { input: { projectId, name } },
        { deadline },
      );
      return answer.bucketCreate;
    },
    find: async () => (await bucketsOf(run, projectId)).find((bucket) => bucket.name === name),
    lookSeconds,
  });
}

/** Whether a bucket of the project is in this environment, which its configuration alone tells. */
async function isThere(run: Run, { environmentId }: Place, id: string): Promise<boolean> {
  interface Told {
    readonly environment: {
      readonly config: { readonly buckets?: Readonly<Record<string, { readonly isDeleted?: boolean } | null>> };
    };
  }
  const query = "query Config($id: String!) { environment(id: $id) { config } }";
  const bucket = (await run.railway.ask<Told>(query, { id: environmentId })).environment.config.buckets?.[id];
  return bucket !== undefined && bucket !== null && bucket.isDeleted !== true;
}

async function credentialsOf(run: Run, place: Place, bucketId: string, name: string): Promise<BucketCredentials> {
  const deadline = run.railway.deadline(60, `credentials of bucket ${name}`);
  for (;;) {
    const answer = await run.railway.ask<{ bucketS3Credentials: readonly BucketCredentials[] }>(
      `query BucketCredentials($projectId: String!, $environmentId: String!, $bucketId: String!) {
        bucketS3Credentials(projectId: $projectId, environmentId: $environmentId, bucketId: $bucketId) {
          accessKeyId secretAccessKey bucketName endpoint region
        }
      }`,
      { ...place, bucketId },
    );
    const [found] = answer.bucketS3Credentials;
    if (found !== undefined) return found;
    if (!(await run.pause(2000, deadline))) {
      throw run.error(
        `Railway doesn't tell how to reach bucket ${name}.`,
        "it lists no credentials of it",
        "pulumi up",
      );
    }
  }
}

/** Puts buckets' values in the place of their tokens. */
export function withBuckets(service: RailwayService, credentials: Credentials): RailwayService {
  const values = Object.entries(credentials).flatMap(([bucket, made]): [string, string][] => [
    [bucketToken(bucket, "name"), made.bucketName],
    [bucketToken(bucket, "endpoint"), made.endpoint],
    [bucketToken(bucket, "region"), made.region],
    [bucketToken(bucket, "key"), made.accessKeyId],
    [bucketToken(bucket, "secret"), made.secretAccessKey],
  ]);
  const fill = (text: string) => values.reduce((out, [token, value]) => out.replaceAll(token, value), text);
  const variables = Object.entries(service.variables).map(([name, value]) => [name, fill(value)] as const);
  return { ...service, variables: Object.fromEntries(variables) };
}
