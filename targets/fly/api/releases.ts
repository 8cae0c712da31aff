import { Deadline, isUnknown, type Client, type World } from "../../../drivers/http";
import type { FlyConnection } from "./connection";
import { webClient } from "./web";

/** Fly's record of one deploy of an app, as `fly releases` lists it. */
export interface ReleaseRecord {
  readonly id: string;
  readonly version: number;
  /** `pending`, `running`, `complete`, `failed` or `interrupted`. */
  readonly status: string;
  readonly image_ref: string;
}

export interface NewRecord {
  readonly app_name: string;
  readonly image: string;
  readonly strategy: "BLUEGREEN" | "ROLLING";
  /** The app's fly.toml as JSON: `fly config show`, `fly scale` and a `fly deploy` without the file go by it. */
  readonly definition: Readonly<Record<string, unknown>>;
}

/** Seconds that a call may take: a deploy waits for its record, but never for long. */
const patience = 5;
/** How many of an app's newest records are looked at for ones that a run left open. */
const looked = 5;

/** Records of deploys, kept where flyctl keeps them (flyctl, internal/uiex/releases.go). */
export class FlyReleases {
  readonly client: Client;

  constructor(connection: FlyConnection, secrets: Iterable<string>, options: { world?: World; signal?: AbortSignal }) {
    this.client = webClient(connection, secrets, options);
  }

  /** The newest first. */
  async list(app: string): Promise<readonly ReleaseRecord[]> {
    const query = { limit: looked };
    const { body } = await this.client.request("GET", `/api/v1/apps/${app}/releases`, { query, ...this.soon() });
    return (body as { releases?: readonly ReleaseRecord[] | null } | undefined)?.releases ?? [];
  }

  async create(release: NewRecord): Promise<ReleaseRecord> {
    try {
      // Without a build of Fly's own, as flyctl has it for images that were built elsewhere.
      const body = { ...release, build_id: 0 };
      const answer = await this.client.request("POST", "/api/v1/releases", { body, ...this.soon() });
      return (answer.body as { release: ReleaseRecord }).release;
    } catch (error) {
      const [newest] = isUnknown(error) ? await this.list(release.app_name) : [];
      if (newest?.status === "pending" && newest.image_ref === release.image) return newest;
      throw error;
    }
  }

  /** @param error what went wrong, shown with the record */
  async update({ id }: ReleaseRecord, status: string, error?: string): Promise<void> {
    // ReleaseMetadata of fly-go, types.go.
    const metadata = error === undefined ? null : { post_deployment_info: { error } };
    const body = { status, metadata };
    await this.client.request("PATCH", `/api/v1/releases/${id}`, { body, idempotent: true, ...this.soon() });
  }

  private soon(): { readonly deadline: Deadline } {
    return { deadline: Deadline.after(patience, "the record of a deploy", this.client.world) };
  }
}
