import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Pause between two tries, and the time that one may take, milliseconds. */
const pause = 1_000;
const patience = 5_000;

/**
 * Waits until a machine that has just been started answers SSH, as AWS calls it running long before.
 * @returns false where it didn't within the time: it may be reached in a way that only ssh's own configuration knows
 */
export async function waitForSsh(
  address: string,
  port: number,
  seconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    if (await answers(address, port)) return true;
    if (signal.aborted || Date.now() > deadline) return false;
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether an SSH server says its first line (RFC 4253, 4.2). */
function answers(address: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: address, port, timeout: patience });
    const end = (good: boolean): void => {
      socket.destroy();
      done(good);
    };
    socket.once("data", (bytes) => {
      end(bytes.toString("latin1").startsWith("SSH-"));
    });
    for (const event of ["timeout", "error", "close"]) {
      socket.once(event, () => {
        end(false);
      });
    }
  });
}
