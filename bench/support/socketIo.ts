import { sleep } from "../../rehearsal/host/run";
import { openWebSocket, type WebSocket } from "./webSocket";

/** What a client of Socket.IO met. */
export interface Talk {
  readonly sent: number;
  readonly answered: number;
  /** How often it was connected anew. */
  readonly reconnected: number;
  /** The longest time without a connection, milliseconds. */
  readonly longestGap: number;
}

/**
 * A client of Socket.IO 5 over a WebSocket (Engine.IO 4) that says `echo` five times a second and connects again whenever
 * the connection ends, as browsers' clients do. While it has no connection it says nothing.
 */
export class SocketIoClient {
  private readonly waiting = new Set<number>();
  private counts = { sent: 0, answered: 0, reconnected: 0 };
  private longestGap = 0;
  private connectedOnce = false;
  private over = false;
  private socket: WebSocket | undefined;
  private readonly running: Promise<void>;

  constructor(private readonly url: string) {
    this.running = this.run();
  }

  private async run(): Promise<void> {
    let lost = performance.now();
    while (!this.over) {
      const ended = await this.connect(lost).catch(() => undefined);
      if (ended === undefined) await sleep(20);
      else lost = ended;
    }
  }

  /** @returns when the connection ended */
  private connect(lost: number): Promise<number> {
    return new Promise<number>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const joined = (): void => {
        if (this.connectedOnce) {
          this.counts.reconnected++;
          this.longestGap = Math.max(this.longestGap, performance.now() - lost);
        }
        this.connectedOnce = true;
        timer = setInterval(() => {
          if (this.over) return;
          const number = ++this.counts.sent;
          this.waiting.add(number);
          this.socket?.send(`42${JSON.stringify(["echo", number])}`);
        }, 200);
      };
      const onText = (text: string): void => {
        // Engine.IO: 0 open, 2 ping, 3 pong, 4 message. Socket.IO in a message: 0 connect, 1 disconnect, 2 event.
        if (text.startsWith("0")) this.socket?.send("40");
        else if (text === "2") this.socket?.send("3");
        else if (text.startsWith("40")) joined();
        else if (text.startsWith("41")) this.socket?.close();
        else if (text.startsWith('42["echo"')) {
          const [, number] = JSON.parse(text.slice(2)) as [string, number];
          if (this.waiting.delete(number)) this.counts.answered++;
        }
      };
      const onEnd = (): void => {
        clearInterval(timer);
        resolve(performance.now());
      };
      // The first frame may come with the answer that opens the socket, before there is one to answer by.
      const early: string[] = [];
      openWebSocket(this.url, {
        onText: (text) => {
          if (this.socket === undefined) early.push(text);
          else onText(text);
        },
        onEnd,
      }).then((socket) => {
        this.socket = socket;
        early.forEach(onText);
      }, reject);
    }).finally(() => {
      this.socket = undefined;
    });
  }

  /** Ends it, a second after what it said last. */
  async end(): Promise<Talk> {
    this.over = true;
    await sleep(1000);
    this.socket?.close();
    await this.running;
    return { ...this.counts, longestGap: this.longestGap };
  }
}
