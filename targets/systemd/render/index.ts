export { renderStage, type Stage } from "./stage";
export type { StageFile } from "./stageFile";
