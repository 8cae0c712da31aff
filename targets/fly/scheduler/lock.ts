import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Does something that only one process of this machine may do at a time. @returns undefined where another does it now */
export async function locked<T>(name: string, act: () => Promise<T>): Promise<T | undefined> {
  const file = join(tmpdir(), `homeport-${name}.lock`);
  if (!take(file)) return undefined;
  try {
    return await act();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return true;
    } catch {
      if (lives(file)) return false;
      // What a killed process left.
      rmSync(file, { force: true });
    }
  }
  return false;
}

function lives(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}
