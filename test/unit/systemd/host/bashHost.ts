import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { hostParts, hostScript } from "../../../../targets/systemd/hostScript";

/** What a piece of bash on the host's functions came to. */
export interface Outcome {
  readonly code: number;
  /** What was printed to descriptor 4, where frames go. */
  readonly out: string;
  readonly progress: string;
}

/** The functions of deploy.sh without its start, on a host that is a folder. */
export class BashHost {
  readonly root = mkdtempSync(join(tmpdir(), "homeport-bash-"));
  readonly stage = join(this.root, "stage");
  private runs = 0;
  private readonly functions = hostScript(hostParts.filter((name) => name !== "main.sh"));

  constructor() {
    for (const folder of [
      "run/homeport",
      "etc/homeport/shop-test",
      "var/lib/homeport",
      "opt/shop-test/releases",
      "opt/shop-test/deps",
      "opt/shop-test/slots",
      "opt/shop-test/active",
      "etc/systemd/system",
    ])
      mkdirSync(join(this.root, folder), { recursive: true });
    mkdirSync(this.stage);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Writes a file below the root. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Runs bash text after all functions are there, for the app `shop` of stack `test`. */
  run(text: string, env: Record<string, string> = {}): Promise<Outcome> {
    const me = userInfo().username;
    const plan = `APP=shop STACK=test ID=shop-test APP_USER=${me}\nCONF=$ROOT/etc/homeport/$ID HOME_OF_APP=$ROOT/opt/$ID\n`;
    const script = join(this.root, `script-${++this.runs}.sh`);
    writeFileSync(script, `${this.functions}\n${plan}${text}\n`);
    return new Promise((done) => {
      const options = { cwd: this.stage, env: { PATH: process.env.PATH, HOMEPORT_ROOT: this.root, ...env } };
      const child = execFile("bash", [script], options, (error, out, progress) => {
        done({ code: error === null ? 0 : Number(error.code ?? 1), out, progress });
      });
      // A pipe that stays open, as a session's.
      child.once("exit", () => child.stdin?.end());
    });
  }
}
