import type { Client, Deadline, World } from "../../../drivers/http";
import type { FlyConnection } from "./connection";
import { webClient } from "./web";

/** One line of a machine's output. */
export interface FlyLogLine {
  readonly time: string;
  readonly instance: string;
  readonly level: string;
  readonly message: string;
}

/** Logs, from where flyctl reads them (fly-go, resource_logs.go). */
export class FlyLogs {
  private readonly client: Client;

  constructor(connection: FlyConnection, secrets: Iterable<string>, options: { world?: World; signal?: AbortSignal }) {
    this.client = webClient(connection, secrets, options);
  }

  hide(secret: string): void {
    this.client.hide(secret);
  }

  /** @param after `next` of the answer before, for what came since */
  async read(
    app: string,
    deadline: Deadline,
    query: { instance?: string; after?: string } = {},
  ): Promise<{ lines: FlyLogLine[]; next?: string }> {
    const answer = await this.client.request("GET", `/api/v1/apps/${app}/logs`, {
      deadline,
      query: { instance: query.instance, next_token: query.after },
    });
    const { data, meta } = (answer.body ?? {}) as {
      data?: { attributes?: { timestamp?: string; message?: string; level?: string; instance?: string } }[] | null;
      meta?: { next_token?: string };
    };
    const lines = (data ?? []).map(({ attributes }) => ({
      time: attributes?.timestamp ?? "",
      instance: attributes?.instance ?? "",
      level: attributes?.level ?? "info",
      message: this.client.redact(attributes?.message ?? ""),
    }));
    return { lines, ...(meta?.next_token === undefined ? {} : { next: meta.next_token }) };
  }
}
