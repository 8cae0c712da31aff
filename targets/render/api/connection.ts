/** Whom to ask, by what right. */
export interface RenderConnection {
  /** Without `/v1`. */
  readonly apiUrl: string;
  readonly apiKey: string;
  /** Name or id. Left out: the only one that the key sees. */
  readonly workspace?: string;
}
