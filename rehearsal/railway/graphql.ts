import { type DocumentNode, Kind, parse } from "graphql";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { executeGraphql, readSchema, type Roots } from "../platform/graphql";
import type { Answer, Call } from "../platform/http";
import { deployments } from "./answers/deployments";
import { environments } from "./answers/environments";
import { executions } from "./answers/executions";
import { networking } from "./answers/networking";
import { projects } from "./answers/projects";
import { services } from "./answers/services";
import { storage } from "./answers/storage";
import { variables } from "./answers/variables";
import type { Token } from "./state";
import type { World } from "./world";

/** Railway's GraphQL, as far as the rehearsal answers it. */
export const schema = readSchema(readFileSync(join(__dirname, "contract", "schema.graphql"), "utf8"));

const answers: readonly ((world: World, token: Token) => Roots)[] = [
  projects,
  environments,
  services,
  variables,
  deployments,
  executions,
  storage,
  networking,
];

/** What answers the schema's root fields, for who asks. */
export const rootsOf = (world: World, token: Token): Roots =>
  Object.assign({}, ...answers.map((one) => one(world, token))) as Roots;

/** The root fields that a call asks for, such as `serviceCreate`: what faults and the journal name it by. */
export function fieldsOf(body: unknown): string {
  const { query } = (body ?? {}) as { query?: unknown };
  if (typeof query !== "string") return "";
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch {
    return "";
  }
  return document.definitions
    .flatMap((one) => (one.kind === Kind.OPERATION_DEFINITION ? one.selectionSet.selections : []))
    .flatMap((one) => (one.kind === Kind.FIELD ? [one.name.value] : []))
    .join("+");
}

/** POST /graphql/v2, as https://backboard.railway.com has it. */
export function answerGraphql(world: World, token: Token, call: Call): Promise<Answer> {
  return executeGraphql(schema, rootsOf(world, token), call);
}
