import type { Target } from "./target";
import { ec2 } from "./ec2";
import { fly } from "./fly";
import { railway } from "./railway";
import { render } from "./render";
import { vps } from "./vps";

/** Every target, one line each. */
export const targets: readonly Target[] = [ec2, vps, fly, railway, render];
