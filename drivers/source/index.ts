import type { pack as Pack } from "./pack";

export { fingerprint } from "./fingerprint";
export { parseSource } from "./parse";
export { checkSource } from "./check";
export { redact } from "./redact";
export { SourceError, type SourceErrorParts } from "./error";
export { folder, git, tarball } from "./types";
export type {
  Fingerprint,
  FolderSource,
  GitSource,
  PackedSource,
  Source,
  SourceOptions,
  TarballSource,
  UnpackLimits,
} from "./types";

/** See ./pack; its code is loaded with the first call, as a program that only previews never packs. */
export const pack: typeof Pack = async (...args) => (await import("./pack")).pack(...args);
