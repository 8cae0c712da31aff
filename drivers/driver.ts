/** What a driver is given besides its spec. */
export interface DriverIo {
  /** Tells the person what happens, one short line without a secret. */
  readonly progress: (line: string) => void;
  /** Is aborted when the run is to end: by a signal, or as the engine has gone. */
  readonly signal: AbortSignal;
  /** The project's folder, absolute: relative paths of specs start there. */
  readonly project: string;
}

/** Makes one kind of platform resource match its spec. Both calls may be cut off anywhere, and be made again. */
export interface Driver {
  /** @returns what is printed as JSON on stdout; holds no secret */
  apply(spec: unknown, io: DriverIo): Promise<unknown>;
  /** What is gone already is no error. */
  delete(spec: unknown, io: DriverIo): Promise<unknown>;
}
