import type { Answer } from "../platform/http";
import { Refusal } from "../platform/http";
import { authenticate, bare } from "./tokens";
import { appOf } from "./world";
import type { World } from "./world";

const refused = (status: number, code: string, message: string): Answer => ({
  status,
  body: { errors: [{ code, message, detail: null }] },
  headers: { "www-authenticate": 'Basic realm="registry.fly.io"', "docker-distribution-api-version": "registry/2.0" },
});

/**
 * Why a call to the image registry is refused; undefined when it may go on. The user is literally `x` and the password a
 * token; the repository is an app's name, and the app has to be there before the first push.
 */
export function registryRefusal(world: World, url: string, authorization: string | undefined): Answer | undefined {
  const [, encoded = ""] = /^Basic (.+)$/.exec(authorization ?? "") ?? [];
  const [user, ...rest] = Buffer.from(encoded, "base64").toString().split(":");
  if (user !== "x") return refused(401, "UNAUTHORIZED", "authentication required");
  try {
    const token = authenticate(world, `Bearer ${bare(rest.join(":"))}`);
    const [, app] = /^\/v2\/([^/]+)\//.exec(url) ?? [];
    if (app !== undefined) appOf(world, token, app);
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.answer.status === 401
      ? refused(401, "UNAUTHORIZED", "authentication required")
      : refused(404, "NAME_UNKNOWN", "app repository not found");
  }
}
