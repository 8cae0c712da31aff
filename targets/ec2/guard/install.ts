import { Output, RunError, output, runtime, type ResourceTransformation } from "@pulumi/pulumi";
import type { Problem } from "../../../components/problems";
import { checkResource } from "./check";
import { unknown, type Props } from "./rule";

/**
 * Holds every AWS resource of the stack that is declared from here on against the rules, those that people add by
 * themselves in index.ts too. A preview tells all violations and fails. A deploy refuses an unsafe resource before AWS is
 * called for it: values that a preview can't know are checked as soon as they are.
 */
export function installGuard(): void {
  // Resources have no stack in unit tests that make them without an engine.
  if (runtime.getStackResource() === undefined) return;
  runtime.registerStackTransformation(guard);
}

/** The transformation itself, `transformations: [guard]` of a single resource or component. */
export const guard: ResourceTransformation = ({ type, name, props, opts }) => {
  if (!type.startsWith("aws:")) return undefined;
  const preview = runtime.isDryRun();
  const checked = new Watched(type, name, preview ? failLater : fail).watch(props);
  // A preview keeps its inputs: an output of which only a part is known would show as unknown altogether.
  return preview ? undefined : { props: checked, opts };
};

/** Ends the program, or keeps the resource whose input is being worked out from being registered. */
function fail(text: string): never {
  throw new Unsafe(text);
}

/**
 * Lets the preview go on to the next violation, and fail in the end. An error that is merely logged doesn't fail it; a
 * rejection that nobody handles is what the SDK's runner logs and remembers (cmd/run/run.js).
 */
function failLater(text: string): void {
  void Promise.reject(new Unsafe(text));
}

/** One resource whose inputs come to be known one after the other. */
export class Watched {
  private readonly told = new Set<string>();
  private view: Props = {};

  constructor(
    private readonly type: string,
    private readonly name: string,
    private readonly refuse: (text: string) => void,
  ) {}

  /** Checks what is known, and again whenever more is. @returns inputs that fail where a check does */
  watch(props: Props): Props {
    const { copy } = this.look(props, (value) => (this.view = value as Props));
    this.check();
    return copy as Props;
  }

  /** Puts what is known of `input` in place, and `unknown` elsewhere; gives back the input with its outputs watched. */
  private look(input: unknown, put: (value: unknown) => void): { copy: unknown } {
    if (input instanceof Promise || Output.isInstance(input)) {
      put(unknown);
      const watched = (output(input as Promise<unknown>) as Output<unknown>).apply((value) => {
        put(value);
        this.check();
        return value;
      });
      return { copy: watched };
    }
    if (Array.isArray(input)) {
      const list: unknown[] = [];
      const copy = input.map((one, index) => this.look(one, (value) => (list[index] = value)).copy);
      put(list);
      return { copy };
    }
    if (isPlain(input)) {
      const fields: Record<string, unknown> = {};
      const copy: Record<string, unknown> = {};
      for (const [key, one] of Object.entries(input)) {
        copy[key] = this.look(one, (value) => (fields[key] = value)).copy;
      }
      put(fields);
      return { copy };
    }
    put(input);
    return { copy: input };
  }

  private check(): void {
    const fresh = checkResource(this.type, this.name, this.view).filter(({ what }) => !this.told.has(what));
    if (fresh.length === 0) return;
    for (const { what } of fresh) this.told.add(what);
    this.refuse(fresh.map(formatViolation).join("\n\n"));
  }
}

/** Its message is shown without a stack trace. */
class Unsafe extends RunError {
  constructor(message: string) {
    super(message);
    // The SDK's handler would colour the frames first (components/report.ts).
    this.stack = message;
  }
}

const formatViolation = ({ where, what, why, fix }: Problem): string =>
  `${where}: ${what}\n   why: ${why ?? ""}\n   fix: ${fix}`;

/** Objects that are data: resources, assets and other instances have fields that aren't inputs. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
