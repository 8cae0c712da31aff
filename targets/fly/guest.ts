import type { Guest } from "./api/types";

/** Numbers of CPUs that machines come with, and the memory each takes, in MiB (fly.io/docs/about/pricing, Machines). */
export const sizes = {
  shared: { cpus: [1, 2, 4, 6, 8], least: 256, most: 2048 },
  performance: { cpus: [1, 2, 4, 6, 8, 10, 12, 14, 16], least: 2048, most: 8192 },
} as const;

/** Memory is sold in these steps, in MiB. */
const step = 256;

/**
 * The smallest machine that has at least so much of both. More memory than a number of CPUs can have takes more CPUs.
 * @returns undefined where there is none so large
 */
export function guestFor(kind: keyof typeof sizes, cpus: number, memoryMib: number): Guest | undefined {
  const { cpus: offered, least, most } = sizes[kind];
  const memory = Math.ceil(memoryMib / step) * step;
  const count = offered.find((each) => each >= cpus && each * most >= memory);
  return count === undefined ? undefined : { cpu_kind: kind, cpus: count, memory_mb: Math.max(memory, count * least) };
}
