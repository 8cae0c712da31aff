import type { DriverIo } from "../../../drivers/driver";
import { DriverError } from "../../../drivers/error";
import { createOnce, Deadline, type World } from "../../../drivers/http";
import type { FlyConnection } from "../api/connection";
import { FlyGraphql, refuseErrors, type GraphqlError } from "../api/graphql";
import { documents } from "./documents";

/** A bucket of Tigris, which Fly sells. Secret as a whole. */
export interface TigrisSpec {
  readonly connection: FlyConnection;
  /** Shared by all of Tigris's customers; its end is random, so that nobody else has made it. */
  readonly name: string;
  readonly onDelete: "keep" | "delete";
}

/** What the driver prints. Secret: it holds the bucket's key. */
export interface TigrisResult {
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface AddOn {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly status?: string | null;
  readonly errorMessage?: string | null;
  readonly organization: { readonly slug: string };
  /** Told by the mutation that makes it, and never again. */
  readonly environment?: Readonly<Record<string, string>> | null;
}

/** Tigris has one region in S3's words, wherever the data is. */
const region = "auto";
/** Where a bucket is reached that doesn't say it (tigrisdata.com/docs/sdks/s3). */
const usualEndpoint = "https://fly.storage.tigris.dev";
const seconds = 120;
/** A run that was cut off, and one right after it. */
const justMadeMs = 15 * 60_000;

/**
 * Makes the bucket, or finds it with the key that was told when it was made.
 * @param before the result of the run before, where there was one
 * @throws DriverError where it is there, isn't new, and its key is unknown: nothing is changed then
 */
export async function applyTigris(
  spec: TigrisSpec,
  before: Partial<TigrisResult>,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<TigrisResult> {
  const graphql = new FlyGraphql(spec.connection, io, world);
  const there = await find(graphql, spec);
  if (there !== undefined && isWhole(before) && before.bucket === spec.name) return before;
  if (there !== undefined) {
    if (!isJustMade(graphql, there)) throw keyless(spec.name, there);
    // Its key was told to a run that was cut off, and to nobody else: so nothing can be in it. Fly tells it no second time.
    io.progress(`${spec.name}: made by a run that was cut off before it had its key; made again`);
    await remove(graphql, spec);
  }
  const made = await create(graphql, spec);
  io.progress(`${spec.name}: Tigris bucket made`);
  return resultOf(spec, made);
}

export async function deleteTigris(
  spec: TigrisSpec,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<void> {
  const graphql = new FlyGraphql(spec.connection, io, world);
  if ((await find(graphql, spec)) === undefined) return;
  if (spec.onDelete === "keep") {
    io.progress(`${spec.name}: the bucket stays; fly storage destroy ${spec.name} deletes it`);
    return;
  }
  await remove(graphql, spec);
  io.progress(`${spec.name}: Tigris bucket deleted`);
}

const deadlineOf = (graphql: FlyGraphql, what: string) => Deadline.after(seconds, what, graphql.client.world);

const isMissing = ({ message, extensions }: GraphqlError): boolean =>
  extensions?.code === "NOT_FOUND" || /could not find|not found/i.test(message);

/** @throws DriverError where another organization's bucket has the name */
async function find(graphql: FlyGraphql, { name, connection }: TigrisSpec): Promise<AddOn | undefined> {
  const deadline = deadlineOf(graphql, `the bucket ${name} to be found`);
  const { data, errors } = await graphql.ask<{ addOn?: AddOn | null }>(
    documents.find,
    { name },
    { deadline, idempotent: true },
  );
  const found = data.addOn ?? undefined;
  if (found === undefined && errors.every(isMissing)) return undefined;
  refuseErrors(errors, "Fly doesn't tell of the bucket.", `Tigris bucket ${name}`, "pulumi up again");
  const slug = found?.organization.slug;
  if (slug !== undefined && slug !== connection.org && connection.org !== "personal") {
    throw new DriverError({
      what: `The bucket ${name} is another organization's.`,
      where: `Tigris bucket ${name}`,
      why: `it is in "${slug}", not in "${connection.org}"`,
      fix: "pulumi config set fly:org, or another token",
    });
  }
  return found;
}

async function create(graphql: FlyGraphql, spec: TigrisSpec): Promise<AddOn> {
  const where = `Tigris bucket ${spec.name}`;
  const deadline = deadlineOf(graphql, `the bucket ${spec.name} to be made`);
  const organization = await graphql.ask<{ organization?: { id: string } | null }>(
    documents.organization,
    { slug: spec.connection.org },
    { deadline, idempotent: true },
  );
  refuseErrors(organization.errors, "Fly doesn't tell of the organization.", where, "pulumi config set fly:org");
  const input = {
    organizationId: organization.data.organization?.id,
    name: spec.name,
    type: "tigris",
    // flyctl always sends the website's key.
    options: { public: false, accelerate: false, website: { domain_name: "" } },
  };
  const made = await createOnce<AddOn | undefined>(graphql.client, {
    deadline,
    create: async () => {
      const { data, errors } = await graphql.ask<{ createAddOn?: { addOn: AddOn } | null }>(
        documents.create,
        { input },
        { deadline, idempotent: false },
      );
      refuseErrors(
        errors,
        "Fly doesn't make the bucket.",
        where,
        errors.some(({ message }) => /terms of service/i.test(message))
          ? "a person has to agree to Tigris's terms: fly storage create asks for that, once for an organization"
          : "mend what it complains of, then pulumi up; or pulumi config set fly:objectStore s3",
      );
      return data.createAddOn?.addOn;
    },
    // Without its key it is of no use: one whose answer was lost is removed, and asked for again.
    find: async () => {
      if ((await find(graphql, spec)) !== undefined) await remove(graphql, spec);
      return undefined;
    },
  });
  if (made === undefined) throw new Error("Fly's answer to createAddOn has no add-on.");
  return made;
}

async function remove(graphql: FlyGraphql, { name }: TigrisSpec): Promise<void> {
  const deadline = deadlineOf(graphql, `the bucket ${name} to be removed`);
  const input = { name, provider: "tigris" };
  const { errors } = await graphql.ask(documents.delete, { input }, { deadline, idempotent: true });
  const serious = errors.filter((error) => !isMissing(error));
  refuseErrors(serious, "Fly doesn't remove the bucket.", `Tigris bucket ${name}`, `fly storage destroy ${name}`);
}

/** One whose key the state has lost may be old and full; only of one that a run made right before this is it known that it isn't. */
function isJustMade(graphql: FlyGraphql, { createdAt }: AddOn): boolean {
  return graphql.client.world.now() - Date.parse(createdAt) < justMadeMs;
}

const keyless = (name: string, { createdAt }: AddOn): DriverError =>
  new DriverError({
    what: "The bucket is there, and the stack's state has no key for it.",
    where: `Tigris bucket ${name}`,
    why: `it was made ${createdAt}, so that backups may be in it; Fly tells its key no second time`,
    fix:
      `fly storage dashboard ${name} shows what is in it. If that is nothing, fly storage destroy ${name}, then pulumi up. ` +
      `To keep it: pulumi stack import of a state that has it; or pulumi state delete of the RandomId that its name ends with, ` +
      `then pulumi up, which makes another beside it`,
  });

const isWhole = (result: Partial<TigrisResult>): result is TigrisResult =>
  result.bucket !== undefined && result.secretAccessKey !== undefined;

function resultOf(spec: TigrisSpec, { environment }: AddOn): TigrisResult {
  const { BUCKET_NAME, AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = environment ?? {};
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw new DriverError({
      what: "Fly made the bucket and doesn't tell its key.",
      where: `Tigris bucket ${spec.name}`,
      why: "its answer has no AWS_ACCESS_KEY_ID",
      fix: "pulumi up, which makes it again; or pulumi config set fly:objectStore s3",
    });
  }
  return {
    bucket: BUCKET_NAME ?? spec.name,
    region: AWS_REGION ?? region,
    endpoint: AWS_ENDPOINT_URL_S3 ?? usualEndpoint,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
  };
}
