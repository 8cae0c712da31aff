import { Clients } from "./api";
import type { Api } from "./api";
import { checkInputs, checkShape, type CheckArgs } from "./check";
import type { Connection } from "./connection";
import { deletesFirst, diffInputs } from "./diff";
import { InitError, explain } from "./errors";
import { functions } from "./functions";
import { lintInputs } from "./lint";
import { type Failure, type FunctionType, type ResourceType, shapeOf } from "./resource";
import { type Values, defined, hasUnknown, unknown } from "./schema";
import { resources } from "./resources";

/** What a step of the engine names. */
export interface Step {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  /** Seconds, where the program gives `customTimeouts`; else 0. */
  readonly timeout: number;
  /** Shows a line beside the resource. */
  readonly status: (line: string) => void;
}

/** How a changed resource is brought about. */
export interface Diff {
  readonly differences: ReturnType<typeof diffInputs>;
  readonly deleteBeforeReplace: boolean;
}

/** What there is of a resource. */
export interface Found {
  readonly id: string;
  readonly inputs: Values;
  readonly outputs: Values;
}

const noun = "The understudy of the aws provider (7.48.0)";

function typeOf(token: string): ResourceType {
  const type = resources.get(token);
  if (type === undefined) {
    throw new Error(
      `${noun} doesn't know the resource type ${token}.\nWhy: rehearsals create each declared resource, so none is left out silently.\nMend: use a type that rehearsal/understudies/aws/resources.ts has, or write this one there.`,
    );
  }
  return type;
}

function functionOf(token: string): FunctionType {
  const type = functions.get(token);
  if (type === undefined) {
    throw new Error(
      `${noun} doesn't know the function ${token}.\nMend: use one that rehearsal/understudies/aws/functions.ts has, or write this one there.`,
    );
  }
  return type;
}

/** The operations of the provider, apart from how the engine calls them. */
export class Provider {
  private readonly clients: Clients;
  private readonly stop = new AbortController();

  constructor(private readonly connection: Connection) {
    this.clients = new Clients(connection);
  }

  /** Lets operations that wait come to their end. */
  cancel(): void {
    this.stop.abort();
  }

  async check(
    token: string,
    args: Omit<CheckArgs, "region">,
  ): Promise<{ inputs: Values; failures: readonly Failure[] }> {
    const type = typeOf(token);
    const { inputs, failures } = checkInputs(type, { ...args, region: this.connection.region });
    if (failures.length > 0) return { inputs, failures };
    const known = Object.fromEntries(Object.entries(inputs).filter(([, value]) => !hasUnknown(value)));
    const own = type.check?.(known) ?? [];
    const region = typeof known["region"] === "string" ? known["region"] : this.connection.region;
    return { inputs, failures: own.length > 0 ? own : await lintInputs(type, known, region) };
  }

  diff(token: string, olds: Values, news: Values, ignored: readonly string[]): Diff {
    const type = typeOf(token);
    const differences = diffInputs(type, olds, news, ignored);
    const replaced = differences.some(({ replaces }) => replaces);
    return { differences, deleteBeforeReplace: replaced && deletesFirst(type, olds, news) };
  }

  /** The outputs that a preview shows for a new resource. */
  previewCreate(token: string, inputs: Values): Values {
    const type = typeOf(token);
    const computed = Object.entries(shapeOf(type)).filter(([, { options }]) => options.computed === true);
    const open = [...type.outputs, ...computed.map(([name]) => name)].filter((name) => inputs[name] === undefined);
    return withTags(inputs, { ...inputs, ...Object.fromEntries(open.map((name) => [name, unknown])) });
  }

  /** The outputs that a preview shows for an update. */
  previewUpdate(token: string, olds: Values, news: Values): Values {
    typeOf(token);
    return withTags(news, { ...olds, ...news });
  }

  async create(step: Step, inputs: Values): Promise<{ id: string; outputs: Values }> {
    const type = typeOf(step.type);
    const api = this.api(type, step, inputs);
    let made: string | undefined;
    try {
      const id = await type.create(api, inputs, (each) => (made = each));
      return { id, outputs: await this.observe(type, api, id, inputs) };
    } catch (error) {
      const said = explain(error, "creating", step);
      if (made === undefined) throw new Error(said);
      const outputs = await this.observe(type, api, made, inputs).catch(() => inputs);
      throw new InitError(said, made, outputs, inputs);
    }
  }

  async read(step: Step, inputs: Values, state: Values): Promise<Found | undefined> {
    const type = typeOf(step.type);
    const isImport = Object.keys(state).length === 0;
    const { id, region } = isImport ? importedId(step.id) : { id: step.id, region: state["region"] };
    const api = this.api(type, step, { region });
    try {
      const seen = await type.read(api, id, state);
      if (seen === undefined) return undefined;
      const outputs = settled(type, api, { ...state, ...seen });
      if (!isImport && Object.keys(inputs).length > 0) {
        return { id, inputs: refreshed(inputs, outputs), outputs };
      }
      const names = Object.keys(shapeOf(type)).filter((name) => outputs[name] !== undefined);
      return { id, inputs: Object.fromEntries(names.map((name) => [name, outputs[name]])), outputs };
    } catch (error) {
      throw new Error(explain(error, "reading", step));
    }
  }

  async update(step: Step, olds: Values, news: Values, ignored: readonly string[]): Promise<Values> {
    const type = typeOf(step.type);
    const api = this.api(type, step, news);
    const changed = new Set(diffInputs(type, olds, news, ignored).map(({ root }) => root));
    try {
      await type.update?.(api, step.id, { news: news, olds, changed });
      return await this.observe(type, api, step.id, { ...olds, ...news });
    } catch (error) {
      const said = explain(error, "updating", step);
      // The properties that were set before the failure are told, so that the next `up` only does the rest.
      const outputs = await this.observe(type, api, step.id, olds).catch(() => olds);
      throw new InitError(said, step.id, outputs, news);
    }
  }

  async remove(step: Step, state: Values): Promise<void> {
    const type = typeOf(step.type);
    try {
      await type.remove(this.api(type, step, state), step.id, state);
    } catch (error) {
      throw new Error(explain(error, "deleting", step));
    }
  }

  async invoke(token: string, args: Values): Promise<{ outputs: Values; failures: Failure[] }> {
    const type = functionOf(token);
    const failures: Failure[] = [];
    const { values } = checkShape(shapeOf(type), args, "", failures);
    if (failures.length > 0) return { outputs: {}, failures };
    const step = { type: token, name: "", id: "", timeout: 0, status: () => undefined };
    const api = this.api(type, step, values);
    try {
      const outputs = defined(await type.run(api, values));
      return { outputs: type.regional === false ? outputs : { region: api.region, ...outputs }, failures };
    } catch (error) {
      throw new Error(explain(error, "invoking", step));
    }
  }

  private api(type: ResourceType | FunctionType, step: Step, values: Values): Api {
    const region = typeof values["region"] === "string" ? values["region"] : this.connection.region;
    const minutes = ("minutes" in type ? type.minutes : undefined) ?? 10;
    const limit = step.timeout > 0 ? step.timeout * 1_000 : minutes * 60_000;
    return this.clients.api(region, {
      deadline: Date.now() + limit,
      signal: this.stop.signal,
      status: step.status,
    });
  }

  private async observe(type: ResourceType, api: Api, id: string, before: Values): Promise<Values> {
    const seen = await type.read(api, id, before);
    if (seen === undefined) throw new Error(`it isn't there right after it was made or changed`);
    return settled(type, api, { ...before, ...seen });
  }
}

/** Imports name things of another region than the provider's own by `<id>@<region>`. */
function importedId(text: string): { readonly id: string; readonly region?: string } {
  const [, id, region] = /^(.+)@([a-z]{2}(?:-[a-z]+)+-\d)$/.exec(text) ?? [];
  return id === undefined || region === undefined ? { id: text } : { id, region };
}

/** Outputs as they are sent: of inputs and what was seen, without the engine's own names. */
function settled(type: ResourceType, api: Api, values: Values): Values {
  const outputs = type.regional === false ? values : { ...values, region: api.region };
  return defined(Object.fromEntries(Object.entries(outputs).filter(([name]) => !name.startsWith("__"))));
}

const withTags = (inputs: Values, outputs: Values): Values => {
  const kept = Object.fromEntries(Object.entries(outputs).filter(([name]) => !name.startsWith("__")));
  return "tagsAll" in kept ? { ...kept, tagsAll: inputs["tags"] ?? {} } : kept;
};

/** The inputs with what is there now in the place of what was asked for. */
const refreshed = (inputs: Values, outputs: Values): Values =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, name.startsWith("__") ? value : (outputs[name] ?? value)]),
  );
