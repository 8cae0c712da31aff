/** What keeps an engine from being found or built, said to a user: what, why, and what mends it. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(what: string, why: string, mend: readonly string[]) {
    super([what, `Why: ${why}`, ...mend.map((line) => `Mend: ${line}`)].join("\n"));
  }
}
