import { type GraphQLSchema, buildSchema, execute, parse, validate } from "graphql";
import type { Answer, Call } from "./http";
import { Refusal } from "./http";

/** What answers a schema's root fields: each takes its arguments. */
export type Roots = Readonly<Record<string, (args: never) => unknown>>;

/** Reads a schema in GraphQL's own language. */
export function readSchema(text: string): GraphQLSchema {
  return buildSchema(text);
}

const failed = (messages: readonly { readonly message: string; readonly extensions?: unknown }[]): Answer => ({
  status: 200,
  body: { data: null, errors: messages },
});

/**
 * Answers a GraphQL call. What the schema doesn't have, a field, an argument or a type, is refused before anything is done;
 * a root that throws a Refusal gives an error with its text. The HTTP status is 200 in any case, as GraphQL's servers have it.
 */
export async function executeGraphql(schema: GraphQLSchema, roots: Roots, call: Call): Promise<Answer> {
  const { query, variables, operationName } = (call.body ?? {}) as {
    query?: unknown;
    variables?: Readonly<Record<string, unknown>> | null;
    operationName?: string | null;
  };
  if (call.method !== "POST" || typeof query !== "string")
    return { status: 400, body: { errors: [{ message: "a POST with a query is expected" }] } };
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return failed([{ message: (error as Error).message }]);
  }
  const wrong = validate(schema, document);
  if (wrong.length > 0) return failed(wrong.map(({ message }) => ({ message })));
  const result = await execute({
    schema,
    document,
    rootValue: roots,
    variableValues: variables ?? {},
    operationName: operationName ?? null,
  });
  const errors = result.errors?.map((error) => {
    const refused = error.originalError instanceof Refusal ? error.originalError.answer : undefined;
    const body = refused?.body as { error?: string } | undefined;
    const code = refused === undefined ? "SERVER_ERROR" : (codes[refused.status] ?? "UNPROCESSABLE");
    return { message: body?.error ?? error.message, path: error.path, extensions: { code } };
  });
  return {
    status: 200,
    body: { data: result.data ?? null, ...(errors === undefined ? {} : { errors }) },
  };
}

const codes: Readonly<Record<number, string>> = { 401: "UNAUTHORIZED", 403: "UNAUTHORIZED", 404: "NOT_FOUND" };
