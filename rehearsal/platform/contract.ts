/** A schema of OpenAPI 3.0, as far as requests need it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly nullable?: boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}

interface OperationObject {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
}

/** An OpenAPI 3.0 document. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** One operation that the contract names. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly query: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly bodyRequired: boolean;
}

/** A published contract that requests are held against. Stricter than OpenAPI: what it doesn't name is refused. */
export interface Contract {
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** Reads a contract's operations. */
export function readContract(document: Document): Contract {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const body = operation.requestBody?.content["application/json"]?.schema;
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        query: (operation.parameters ?? []).filter((parameter) => parameter.in === "query"),
        body,
        bodyRequired: body !== undefined && operation.requestBody?.required === true,
      };
    }),
  );
  return { operations, schemas: document.components.schemas };
}

/** The values of a path's `{names}`; undefined where the path is another. */
export function matchPath(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index]!;
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    if (name === undefined ? part !== text : text === "") return undefined;
    if (name === undefined) continue;
    try {
      values[name] = decodeURIComponent(text);
    } catch {
      return undefined;
    }
  }
  return values;
}

/** The operation that a request asks for, with its path's values. "path" or "method": what of it the contract doesn't have. */
export function findOperation(
  contract: Contract,
  method: string,
  path: string,
): { readonly operation: Operation; readonly values: Record<string, string> } | "path" | "method" {
  let isPath = false;
  // A path that names a part wins over one that has a placeholder there: OpenAPI 3.0, "Path Templating Matching".
  const byFewestPlaceholders = contract.operations
    .map((operation) => ({ operation, values: matchPath(operation.path, path) }))
    .sort((a, b) => Object.keys(a.values ?? {}).length - Object.keys(b.values ?? {}).length);
  for (const { operation, values } of byFewestPlaceholders) {
    if (values === undefined) continue;
    if (operation.method === method) return { operation, values };
    isPath = true;
  }
  return isPath ? "method" : "path";
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;

function isKind(wanted: string, value: unknown): boolean {
  const kind = kindOf(value);
  return kind === wanted || (wanted === "number" && kind === "integer");
}

/** What is wrong with a value by a schema, each with the place: nothing for a value that fits. */
export function misfits(contract: Contract, schema: Schema, value: unknown, where = ""): string[] {
  if (schema.$ref !== undefined) {
    const named = contract.schemas[schema.$ref.replace("#/components/schemas/", "")];
    if (named === undefined) throw new Error(`The contract has no schema ${schema.$ref}.`);
    return misfits(contract, named, value, where);
  }
  const place = where === "" ? "the body" : where;
  if (value === null && schema.nullable === true) return [];
  if (schema.oneOf !== undefined) {
    const tried = schema.oneOf.map((one) => misfits(contract, one, value, where));
    return tried.some((wrong) => wrong.length === 0) ? [] : (tried[0] ?? []);
  }
  if (schema.type !== undefined && !isKind(schema.type, value))
    return [`${place} is to be ${schema.type}, not ${kindOf(value)}`];
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${place} is to be one of ${schema.enum.join(", ")}, not ${JSON.stringify(value)}`];
  if (schema.pattern !== undefined && typeof value === "string" && !new RegExp(schema.pattern).test(value))
    return [`${place} is to match ${schema.pattern}, not ${JSON.stringify(value)}`];
  if (typeof value === "number" && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)))
    return [`${place} is to be from ${schema.minimum ?? "any"} to ${schema.maximum ?? "any"}, not ${value}`];
  const inside = (name: string): string => (where === "" ? name : `${where}.${name}`);
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined
      ? []
      : value.flatMap((item, index) => misfits(contract, items, item, `${where}[${index}]`));
  }
  if (typeof value !== "object" || value === null) return [];
  const fields = value as Record<string, unknown>;
  const missing = (schema.required ?? [])
    .filter((name) => fields[name] === undefined)
    .map((name) => `${inside(name)} is missing`);
  const { properties, additionalProperties } = schema;
  if (properties === undefined && additionalProperties === undefined) return missing; // Any object.
  const wrong = Object.entries(fields).flatMap(([name, field]) => {
    // What every object inherits, such as `toString`, is no field of the contract.
    const own = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (own !== undefined) return misfits(contract, own, field, inside(name));
    if (typeof additionalProperties === "object") return misfits(contract, additionalProperties, field, inside(name));
    return additionalProperties === true ? [] : [`${inside(name)} is unknown`];
  });
  return [...missing, ...wrong];
}

function queryMisfit(parameter: Parameter, text: string): string | undefined {
  const type = parameter.schema?.type;
  const fits = type === "integer" ? /^-?\d+$/.test(text) : type === "boolean" ? /^(true|false|1|0)$/.test(text) : true;
  return fits ? undefined : `the query's ${parameter.name} is to be ${type ?? "another"}, not "${text}"`;
}

/** What is wrong with a request by its operation. A parameter named `metadata.*` stands for all that begin so. */
export function requestMisfits(
  contract: Contract,
  operation: Operation,
  query: URLSearchParams,
  body: unknown,
): string[] {
  const wrong: string[] = [];
  for (const [name, text] of query) {
    const parameter = operation.query.find(
      (one) => one.name === name || (one.name.endsWith(".*") && name.startsWith(one.name.slice(0, -1))),
    );
    const misfit = parameter === undefined ? `the query's ${name} is unknown` : queryMisfit(parameter, text);
    if (misfit !== undefined) wrong.push(misfit);
  }
  for (const parameter of operation.query) {
    if (parameter.required === true && !query.has(parameter.name))
      wrong.push(`the query's ${parameter.name} is missing`);
  }
  if (operation.body === undefined) {
    const isEmpty = body === undefined || body === null || (typeof body === "object" && Object.keys(body).length === 0);
    return isEmpty ? wrong : [...wrong, "a body is given where the operation takes none"];
  }
  if (body === undefined) return operation.bodyRequired ? [...wrong, "the body is missing"] : wrong;
  return [...wrong, ...misfits(contract, operation.body, body)];
}
