/** A file of the stage. */
export interface StageFile {
  /** Relative to the stage. */
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/** A file that the host installs. */
export interface InstalledFile {
  /** Absolute, on the host. */
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly content: string;
}

export const rootFile = (path: string, mode: number, content: string): InstalledFile => ({
  path,
  mode,
  owner: "root",
  group: "root",
  content,
});

/** When a file is installed: see LAYOUT.md, What travels to the host. */
export type When = "shared" | "early" | "late";

/** A folder of the stage with a MANIFEST and the files that it lists, the root's with the time of each. */
export function manifested(
  folder: string,
  files: readonly (InstalledFile & { readonly when?: When })[],
): readonly StageFile[] {
  const lines = files.map((file) => {
    if (!/^\/[A-Za-z0-9_@.:/-]+$/.test(file.path)) throw new Error(`"${file.path}" can't be a file of the stage.`);
    const mode = file.mode.toString(8).padStart(4, "0");
    return `${file.when === undefined ? "" : `${file.when} `}${mode} ${file.owner} ${file.group} ${file.path}\n`;
  });
  return [
    stageFile(`${folder}MANIFEST`, lines.join("")),
    ...files.map((file) => stageFile(`${folder}files${file.path}`, file.content)),
  ];
}

/** The stage is root's alone while it is on a host; modes of installed files are the manifest's. */
export const stageFile = (path: string, content: string): StageFile => ({ path, mode: 0o600, content });
