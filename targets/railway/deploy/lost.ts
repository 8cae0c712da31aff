/**
 * Seconds for which a thing is looked for after the answer that told of it was lost, before it is asked for again: Railway takes
 * two of one name, and lists what is new only after a while.
 */
export const lookSeconds = 120;
