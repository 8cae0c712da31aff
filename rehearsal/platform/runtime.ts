/** What is to run, on whatever runs it. */
export interface Container {
  /** Unique in the emulator, and for each version of its configuration. */
  readonly id: string;
  /** A reference that `resolve` knows. */
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** Kept when the container goes: by name, at a path in it. */
  readonly volumes: readonly { readonly name: string; readonly path: string }[];
  readonly files: readonly { readonly path: string; readonly content: Buffer; readonly mode?: number }[];
  /** The ports to reach from this machine. */
  readonly ports: readonly number[];
  /** Its address in the platform's private network; see `Runtime.network`. */
  readonly privateAddress: string;
  readonly hostname: string;
  /** A domain that every name is looked up in first, whatever dots it has. Default: names are looked up as they are. */
  readonly search?: string;
}

/** A signal and the seconds until SIGKILL. */
export interface Stop {
  readonly signal: string;
  readonly timeoutMs: number;
}

/** How a container's command ended. */
export interface Exit {
  readonly code: number;
}

/** How a command in a container ended. */
export interface Executed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a runtime tells of its containers. */
export interface Watcher {
  exited(id: string, exit: Exit): void;
  logged(id: string, line: string): void;
}

/** An address of the private network that leads elsewhere. */
export interface Route {
  /** One that `Runtime.serviceAddress` gave. */
  readonly address: string;
  readonly port: number;
  readonly to: { readonly host: string; readonly port: number };
}

/** Runs containers for an emulated platform. */
export interface Runtime {
  /** The image's digest, `sha256:…`; undefined where there is no such image. */
  resolve(image: string): Promise<string | undefined>;
  /** Makes and starts one. Rejects when its command can't be started. */
  start(container: Container): Promise<void>;
  /** Stops one and waits for its end. `exited` is told of it. Nothing if it doesn't run. */
  stop(id: string, how: Stop): Promise<void>;
  signal(id: string, signal: string): Promise<void>;
  remove(id: string): Promise<void>;
  exec(id: string, command: readonly string[], stdin: string, timeoutMs: number): Promise<Executed>;
  /** Where this machine reaches a container's port; undefined where nothing listens for real. */
  address(id: string, port: number): { readonly host: string; readonly port: number } | undefined;
  removeVolume(name: string): Promise<void>;
  /** Copies what a volume holds at this moment into another one, which is made or replaced; nothing of one never used. */
  copyVolume(from: string, to: string): Promise<void>;
  /** Which of these still run, after a restart of the emulator; the watcher is told of the others' end. */
  adopt(ids: readonly string[]): Promise<void>;
  watch(watcher: Watcher): void;
  /** An address for the n-th container in the private network, counted from 0. */
  privateAddress(index: number): string;
  /** An address of the private network that no container has, for `route`, counted from 0. */
  serviceAddress(index: number): string;
  /** Leads containers to these, and to nothing else, at such addresses. */
  route(routes: readonly Route[]): Promise<void>;
  /** Ends what watches them. The containers stay. */
  close(): Promise<void>;
}
