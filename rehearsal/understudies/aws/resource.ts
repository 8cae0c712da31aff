import type { Api } from "./api";
import { type Shape, type Values, type KnownOf, type ValuesOf, text } from "./schema";

/** A resource as the linter's data knows it: a type of CloudFormation and its properties. */
export interface Lintable {
  readonly type: string;
  readonly properties: Values;
  /** Names of our properties by the linter's, where more than the first letter differs. */
  readonly names?: Readonly<Record<string, string>>;
}

/** What is wrong with a property. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** An update: what the program wants, what was there, and which properties differ. */
export interface Change<I> {
  readonly news: I;
  readonly olds: Values;
  readonly changed: ReadonlySet<string>;
}

/** One type of resource: its properties and what is to be done for it. */
export interface ResourceType<S extends Shape = Shape> {
  readonly token: string;
  /** Whether it has the `region` argument. Default: true. */
  readonly regional?: false;
  readonly inputs: S;
  /** What AWS adds to the inputs: unknown in a preview of a new resource. */
  readonly outputs: readonly string[];
  /** The property that gets a name made from the resource's own where the program gives none. */
  readonly autoname?: { readonly property: string; readonly longest: number; readonly lower?: true };
  /** How long a step may take, in minutes, unless the program says otherwise. Default: 10. */
  readonly minutes?: number;
  /** What can be told before AWS is asked. Called only with values that are known. */
  check?(inputs: KnownOf<S>): Failure[];
  /** What the linter is to look at; properties that aren't known are left out by the caller. */
  lint?(inputs: KnownOf<S>): Lintable | undefined;
  /** Whether a change of these properties makes a new resource, where the values decide. */
  replaces?(property: string, olds: Values, news: Values): boolean;
  /**
   * Makes it and waits until it is usable.
   * @param made to be called as soon as it exists, so that a failure afterwards doesn't lose it
   * @returns its id
   */
  create(api: Api, inputs: ValuesOf<S>, made: (id: string) => void): Promise<string>;
  /** All that AWS tells of it, or undefined where it is gone. `state` is empty in an import. */
  read(api: Api, id: string, state: Values): Promise<Values | undefined>;
  update?(api: Api, id: string, change: Change<ValuesOf<S>>): Promise<void>;
  /** Removes it and waits until it is gone; one that is gone already is no failure. */
  remove(api: Api, id: string, state: Values): Promise<void>;
}

/** Keeps the types of a resource's own properties while it is written, and forgets them in the table. */
export const resource = <const S extends Shape>(type: ResourceType<S>): ResourceType => type;

/** A function that programs may call. */
export interface FunctionType<S extends Shape = Shape> {
  readonly token: string;
  readonly regional?: false;
  readonly inputs: S;
  run(api: Api, inputs: ValuesOf<S>): Promise<Values>;
}

/** As `resource`, for a function. */
export const lookup = <const S extends Shape>(type: FunctionType<S>): FunctionType => type;

const region = text({ replaces: true, computed: true });

/** All properties that a program may give for a type. */
export const shapeOf = (type: ResourceType | FunctionType): Shape =>
  type.regional === false ? type.inputs : { ...type.inputs, region };
