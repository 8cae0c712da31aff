import type { Target } from "./target";
import { vps } from "./vps";

/** Every target, one line each. */
export const targets: readonly Target[] = [vps];
