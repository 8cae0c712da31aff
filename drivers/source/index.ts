export { fingerprint } from "./fingerprint";
export { pack } from "./pack";
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
