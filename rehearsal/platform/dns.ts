import { createSocket, type Socket } from "node:dgram";

/** A question of DNS: a name in lower case, and its type (1: A, 28: AAAA). */
export interface Question {
  readonly name: string;
  readonly type: number;
  /** Where the answers begin in the message. */
  readonly end: number;
}

/** Reads the question of a DNS message; undefined for what isn't one. RFC 1035, section 4.1. */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < 17 || message.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63 || at + 1 + length > message.length) return undefined;
    at += 1 + length;
    if (length === 0) break;
    labels.push(message.toString("latin1", at - length, at));
  }
  if (at + 4 > message.length) return undefined;
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at), end: at + 4 };
}

/** The answer with a name's addresses; undefined for a name that isn't there. Nothing lives longer than a second. */
export function writeAnswer(message: Buffer, question: Question, addresses: readonly string[] | undefined): Buffer {
  const head = Buffer.from(message.subarray(0, question.end));
  const shown = question.type === 1 ? (addresses ?? []) : [];
  // An answer with recursion, authoritative; 3: no such name.
  head.writeUInt16BE(0x8580 | (addresses === undefined ? 3 : 0), 2);
  head.writeUInt16BE(shown.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  const records = shown.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)]),
  );
  return Buffer.concat([head, ...records]);
}

/** A nameserver for a platform's private names, which asks others for the rest. */
export interface NameServer {
  close(): void;
}

/**
 * Answers A and AAAA questions on port 53 of an address. `lookup` gives a name's addresses, none for a name that isn't
 * there, or undefined for a name that isn't the platform's.
 */
export function serveNames(
  address: string,
  lookup: (name: string) => readonly string[] | undefined,
  upstream: readonly string[],
): Promise<NameServer> {
  const socket = createSocket("udp4");
  const asked = new Set<Socket>();
  socket.on("message", (message, from) => {
    const question = readQuestion(message);
    if (question === undefined) return;
    const own = lookup(question.name);
    if (own !== undefined) {
      socket.send(writeAnswer(message, question, own.length === 0 ? undefined : own), from.port, from.address);
      return;
    }
    const [server] = upstream;
    if (server === undefined) return;
    const relay = createSocket("udp4");
    asked.add(relay);
    const end = (): void => {
      if (asked.delete(relay)) relay.close();
    };
    relay.once("message", (answer) => {
      socket.send(answer, from.port, from.address);
      end();
    });
    relay.once("error", end);
    setTimeout(end, 5_000).unref();
    relay.send(message, 53, server);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(53, address, () => {
      resolve({
        close: () => {
          for (const relay of asked) relay.close();
          socket.close();
        },
      });
    });
  });
}
