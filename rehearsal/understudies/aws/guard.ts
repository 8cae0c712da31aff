/** How many operations are under way. */
let running = 0;
let ended = false;

const exitWhenIdle = (): void => {
  if (ended && running === 0) process.exit(0);
};

/**
 * Marks an operation that is to end before the process does, as it would in an official provider, which outlives its
 * engine. The returned function marks the operation's end.
 */
export function working(): () => void {
  running += 1;
  return () => {
    running -= 1;
    // What the operation answers is still to be sent.
    setImmediate(exitWhenIdle);
  };
}

/** Ends the process once standard input closes, whose other end the engine holds, and no operation is under way. */
export function watchEngine(): void {
  process.stdin.resume();
  process.stdin.once("close", () => {
    ended = true;
    exitWhenIdle();
  });
}
