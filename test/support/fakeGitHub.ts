import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Repository } from "../../.github/scripts/api";

export interface FakeComment {
  readonly id: number;
  readonly user: { readonly login: string } | null;
  body: string;
}

/** What goes wrong with the next request that isn't a reading one: an answer in its place, or none after it was done. */
export type Fault = { readonly status: number; readonly retryAfter?: number } | "lost";

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const bot = "github-actions[bot]";
const name = "acme/homeport";

/**
 * GitHub's REST API on loopback, as far as the workflows use it: comments of issue 7, and environments. It refuses what GitHub
 * refuses, and what its documentation asks clients not to do.
 */
export class FakeGitHub {
  readonly comments: FakeComment[] = [];
  /** By name; what "Get an environment" answers. */
  readonly environments: Record<string, unknown> = {};
  /** `POST issues/7/comments`, in the order in which they came. */
  readonly requests: string[] = [];
  readonly faults: Fault[] = [];
  /** A token that may read and not write. */
  readOnly = false;
  private readonly token = `ghs_${"x".repeat(36)}`;
  private last = 100;
  private readonly server = createServer((request, response) => void this.serve(request, response));

  static async open(): Promise<FakeGitHub> {
    const fake = new FakeGitHub();
    fake.server.listen(0, "127.0.0.1");
    await once(fake.server, "listening");
    return fake;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  get repository(): Repository {
    return { api: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`, name, token: this.token };
  }

  /** The requests that changed something. */
  get writes(): string[] {
    return this.requests.filter((request) => !request.startsWith("GET "));
  }

  /** Something that was written on the pull request before. */
  add(login: string | null, body: string): FakeComment {
    const comment = { id: (this.last += 1), user: login === null ? null : { login }, body };
    this.comments.push(comment);
    return comment;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "", "http://api");
    const path = url.pathname.replace(`/repos/${name}/`, "");
    const method = request.method ?? "";
    this.requests.push(`${method} ${path}${url.search}`);
    const fault = method === "GET" ? undefined : this.faults.shift();
    const answer =
      fault === undefined || fault === "lost"
        ? (this.refusal(request) ?? this.answer(method, path, url, Buffer.concat(chunks).toString()))
        : {
            status: fault.status,
            body: { message: "Sorry" },
            ...(fault.retryAfter === undefined ? {} : { headers: { "retry-after": String(fault.retryAfter) } }),
          };
    if (fault === "lost") request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body));
  }

  /** "Getting started with the REST API": a user agent is required; the rest is what it recommends. */
  private refusal({ headers }: IncomingMessage): Answer | undefined {
    const wanted = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" };
    const wrong = Object.entries(wanted).filter(([key, value]) => headers[key] !== value);
    if (wrong.length > 0 || headers["user-agent"] === undefined) return { status: 400, body: { message: "headers" } };
    if (headers.authorization === `Bearer ${this.token}`) return undefined;
    return { status: 401, body: { message: "Bad credentials" } };
  }

  private answer(method: string, path: string, url: URL, body: string): Answer {
    if (method === "GET" && path === "issues/7/comments") return this.page(url);
    if (method === "GET" && path.startsWith("environments/")) {
      const found = this.environments[decodeURIComponent(path.slice("environments/".length))];
      return found === undefined ? { status: 404, body: { message: "Not Found" } } : { status: 200, body: found };
    }
    if (this.readOnly) return { status: 403, body: { message: "Resource not accessible by integration" } };
    const sent = JSON.parse(body) as Record<string, unknown>;
    if (Object.keys(sent).join() !== "body" || typeof sent["body"] !== "string") {
      return { status: 422, body: { message: "Invalid request" } };
    }
    if (sent["body"].length > 65_536) return { status: 422, body: { message: "body is too long" } };
    if (method === "POST" && path === "issues/7/comments") return { status: 201, body: this.add(bot, sent["body"]) };
    const id = /^issues\/comments\/(\d+)$/.exec(path)?.[1];
    const comment = this.comments.find((one) => String(one.id) === id);
    if (method !== "PATCH" || comment === undefined) return { status: 404, body: { message: "Not Found" } };
    if (comment.user?.login !== bot) return { status: 403, body: { message: "Must have admin rights" } };
    comment.body = sent["body"];
    return { status: 200, body: comment };
  }

  private page(url: URL): Answer {
    const size = Math.min(100, Number(url.searchParams.get("per_page") ?? 30));
    const page = Number(url.searchParams.get("page") ?? 1);
    const next = new URL(`${this.repository.api}${url.pathname}?per_page=${size}&page=${page + 1}`);
    const isLast = page * size >= this.comments.length;
    return {
      status: 200,
      body: this.comments.slice((page - 1) * size, page * size),
      ...(isLast ? {} : { headers: { link: `<${next.href}>; rel="next", <${next.href}>; rel="last"` } }),
    };
  }
}
