import type { Call } from "./http";

/** One call that an emulator got, and how it answered. Bodies are left out: secrets are in them. */
export interface Entry {
  readonly number: number;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The query's text, without the question mark. */
  readonly query: string;
  /** 0: the connection was cut instead of an answer. */
  readonly status: number;
  /** Whether it asks for a change, by its method or its GraphQL operation. */
  readonly changes: boolean;
}

const keep = 20_000;

/** GraphQL's calls are all POSTs: a mutation says so. */
function changes(call: Call): boolean {
  if (/\/graphql(?:\/|$)/.test(call.path)) {
    const { query = "" } = (call.body ?? {}) as { query?: string };
    return /^\s*mutation\b/.test(query);
  }
  return !["GET", "HEAD", "OPTIONS"].includes(call.method);
}

/** The calls that an emulator got, so that tests can count them. */
export class Journal {
  private list: Entry[] = [];
  private count = 0;

  note(call: Call, status: number): void {
    const { method, path } = call;
    const query = call.query.toString();
    this.list.push({ number: ++this.count, at: Date.now(), method, path, query, status, changes: changes(call) });
    if (this.list.length > keep) this.list = this.list.slice(-keep / 2);
  }

  /** The calls after a number, oldest first. */
  entries(after = 0): readonly Entry[] {
    return this.list.filter((entry) => entry.number > after);
  }
}
