import promises from "node:timers/promises";

/** Loaded into a driver's process before the driver: its clock and waits become those of `fastTime`. */
const factor = Number(process.env["FAST_TIME_FACTOR"]);
const origin = Number(process.env["FAST_TIME_ORIGIN"]);
const realNow = Date.now;
const realSleep = promises.setTimeout;
Date.now = () => Math.floor(origin + (realNow() - origin) * factor);
promises.setTimeout = (ms, value, options) => realSleep((ms ?? 0) / factor, value, options);
