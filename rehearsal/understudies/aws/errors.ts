import { codeOf } from "./steps";
import type { Values } from "./schema";

/** A failure of a resource that is there nevertheless: the engine keeps what is known of it. */
export class InitError extends Error {
  override readonly name = "InitError";

  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Values,
    readonly inputs: Values,
  ) {
    super(message);
  }
}

/** A failure in one line, worded as the official provider does. No stack trace: it is shown to a user. */
export function explain(
  error: unknown,
  doing: string,
  step: { readonly type: string; readonly name: string; readonly id: string },
): string {
  const kind = step.type.split(":").slice(1).join(":");
  const who = step.id === "" ? step.name : step.id;
  const what = [doing, kind, who === "" ? "" : `(${who})`].filter((word) => word !== "").join(" ");
  const { message, $metadata, errors } = error as {
    message?: string;
    $metadata?: { httpStatusCode?: number; attempts?: number };
    errors?: Error[];
  };
  if ($metadata?.httpStatusCode === undefined) {
    const inner = errors?.map((each) => each.message).join("; ");
    return `${what}: ${message === undefined || message === "" ? (inner ?? String(error)) : message}`;
  }
  const tries = ($metadata.attempts ?? 1) > 1 ? `, after ${$metadata.attempts ?? 1} attempts` : "";
  const [said = ""] = (message ?? "").split("\n");
  // An answer that is no API's own: the emulator's page for a call that it hasn't got.
  const why = /XML parse error|is not valid JSON/.test(said)
    ? `the answer can't be read (${said.trim()}); does the endpoint know this call?`
    : `api error ${codeOf(error)}: ${said.trim()}`;
  return `${what}: https response error StatusCode: ${$metadata.httpStatusCode}${tries}, ${why}`;
}
