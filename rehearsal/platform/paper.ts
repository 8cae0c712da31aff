import { createHash } from "node:crypto";
import type { Container, Executed, Exit, Route, Runtime, Watcher } from "./runtime";

/** How a container on paper behaves. */
export interface PaperBehaviour {
  /** The exit code it ends with by itself, and after how many milliseconds. Default: it runs until it is stopped. */
  readonly exit?: { readonly code: number; readonly afterMs: number };
  /** Lines that it logs when it starts. */
  readonly logs?: readonly string[];
  /** Where its ports are reached, by port. Default: nothing listens, and checks pass. */
  readonly listens?: Readonly<Record<number, { readonly host: string; readonly port: number }>>;
  /** It can't be started, with this as the reason. */
  readonly broken?: string;
}

/**
 * A runtime without containers: everything starts at once and nothing listens. For tests of what calls a platform, where
 * starting containers would only cost time. `behaviour` says what each one does.
 */
export class PaperRuntime implements Runtime {
  private readonly running = new Map<string, NodeJS.Timeout | undefined>();
  private readonly listening = new Map<string, PaperBehaviour["listens"]>();
  readonly removedVolumes: string[] = [];
  /** Which volumes were copied to which, in order. */
  readonly copiedVolumes: [from: string, to: string][] = [];
  /** Where addresses of the private network lead. */
  routes: readonly Route[] = [];
  /** What was started, in order. */
  readonly started: Container[] = [];
  private watcher: Watcher | undefined;

  constructor(
    private readonly behaviour: (container: Container) => PaperBehaviour = () => ({}),
    private readonly images: (image: string) => boolean = () => true,
  ) {}

  resolve(image: string): Promise<string | undefined> {
    const named = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
    const digest = named ?? `sha256:${createHash("sha256").update(image).digest("hex")}`;
    return Promise.resolve(this.images(image) ? digest : undefined);
  }

  start(container: Container): Promise<void> {
    const { exit, logs = [], broken, listens } = this.behaviour(container);
    if (broken !== undefined) return Promise.reject(new Error(broken));
    this.started.push(container);
    this.listening.set(container.id, listens);
    const timer =
      exit === undefined
        ? undefined
        : setTimeout(() => {
            this.end(container.id, { code: exit.code });
          }, exit.afterMs);
    this.running.set(container.id, timer);
    for (const line of logs) this.watcher?.logged(container.id, line);
    return Promise.resolve();
  }

  private end(id: string, exit: Exit): void {
    if (!this.running.has(id)) return;
    clearTimeout(this.running.get(id));
    this.running.delete(id);
    this.watcher?.exited(id, exit);
  }

  stop(id: string): Promise<void> {
    this.end(id, { code: 0 });
    return Promise.resolve();
  }

  signal(id: string, signal: string): Promise<void> {
    if (signal === "SIGKILL") this.end(id, { code: 137 });
    return Promise.resolve();
  }

  remove(id: string): Promise<void> {
    clearTimeout(this.running.get(id));
    this.running.delete(id);
    return Promise.resolve();
  }

  exec(_id: string, command: readonly string[]): Promise<Executed> {
    return Promise.resolve({ code: 0, stdout: `${command.join(" ")}\n`, stderr: "" });
  }

  address(id: string, port: number): { readonly host: string; readonly port: number } | undefined {
    return this.running.has(id) ? this.listening.get(id)?.[port] : undefined;
  }

  removeVolume(name: string): Promise<void> {
    this.removedVolumes.push(name);
    return Promise.resolve();
  }

  copyVolume(from: string, to: string): Promise<void> {
    this.copiedVolumes.push([from, to]);
    return Promise.resolve();
  }

  adopt(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.running.set(id, undefined);
    return Promise.resolve();
  }

  watch(watcher: Watcher): void {
    this.watcher = watcher;
  }

  privateAddress(index: number): string {
    return `172.31.${Math.floor(index / 250)}.${2 + (index % 250)}`;
  }

  serviceAddress(index: number): string {
    return `172.30.${Math.floor(index / 250)}.${2 + (index % 250)}`;
  }

  route(routes: readonly Route[]): Promise<void> {
    this.routes = routes;
    return Promise.resolve();
  }

  close(): Promise<void> {
    for (const timer of this.running.values()) clearTimeout(timer);
    return Promise.resolve();
  }
}
