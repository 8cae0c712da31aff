import type { DriverIo } from "../../../drivers/driver";
import { askGraphQl, Client, Deadline, type GraphQlCall, type World } from "../../../drivers/http";
import { explainRailway } from "./explain";

/** How Railway is reached. Secret as a whole. */
export interface RailwayConnection {
  /** `https://backboard.railway.com/graphql/v2` */
  readonly url: string;
  readonly token: string;
  /** Tokens of accounts and workspaces are `api`; those of one environment are `project`, and sent in a header of their own. */
  readonly kind: "api" | "project";
}

export type Variables = Readonly<Record<string, unknown>>;

const step = 120;
/** The Hobby plan's 10 requests a second (docs.railway.com/integrations/api, Rate limits). */
const limit = { key: "railway", perSecond: 10, burst: 10 };

/** Railway's public API: GraphQL at one address. */
export class Railway {
  readonly client: Client;
  private readonly path: string;

  constructor(
    readonly connection: RailwayConnection,
    private readonly io: Pick<DriverIo, "progress" | "signal">,
    private readonly secrets: readonly string[],
    private readonly world?: World,
  ) {
    const { origin, pathname } = new URL(connection.url);
    this.path = pathname;
    this.client = new Client({
      base: origin,
      headers: headersOf(connection),
      secrets: [connection.token, ...secrets],
      limit: () => limit,
      explain: explainRailway,
      progress: io.progress,
      signal: io.signal,
      ...(world === undefined ? {} : { world }),
    });
  }

  /** The same token, sent as one of the other kind: tells whether it is one. */
  asOther(): Railway {
    const kind = this.connection.kind === "api" ? "project" : "api";
    return new Railway({ ...this.connection, kind }, this.io, this.secrets, this.world);
  }

  deadline(seconds: number, what: string): Deadline {
    return Deadline.after(seconds, what, this.client.world);
  }

  /** Asks for something that changes nothing, or that may be done twice. */
  ask<T>(document: string, variables: Variables = {}, options: Partial<GraphQlCall> = {}): Promise<T> {
    return this.call(document, variables, { idempotent: true, ...options });
  }

  /** Asks for something that makes another one when it is done twice: only within `createOnce`. */
  make<T>(document: string, variables: Variables, options: Partial<GraphQlCall> = {}): Promise<T> {
    return this.call(document, variables, { idempotent: false, ...options });
  }

  private call<T>(document: string, variables: Variables, options: Partial<GraphQlCall>): Promise<T> {
    const deadline = options.deadline ?? this.deadline(step, "a call to Railway");
    // Railway takes longer than others for some of its changes (railwayapp/cli, issue 655).
    return askGraphQl<T>(this.client, this.path, { timeoutMs: 90_000, ...options, document, variables, deadline });
  }
}

/** A project's token as a Bearer is refused, and the other way round (docs.railway.com/integrations/api). */
function headersOf({ token, kind }: RailwayConnection): Record<string, string> {
  return kind === "project" ? { "project-access-token": token.trim() } : { authorization: `Bearer ${token.trim()}` };
}
