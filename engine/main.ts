import { quote } from "../components/values/shell";
import { type Engine, EngineError, ensureEngine } from "./index";

const usage = `usage: node -r ts-node/register engine/main.ts <what> [--home <folder>]
  ensure   make the engine and its plugins ready, and tell which they are
  env      the same, and print what a shell is to evaluate:
           eval "$(node -r ts-node/register engine/main.ts env)"
  --home   a private PULUMI_HOME, as rehearsals use`;

/** The lines that a shell evaluates to use the engine. */
export const exportLines = (engine: Engine): string[] =>
  Object.entries(engine.env).map(([name, value]) => `export ${name}=${quote(value)}`);

/** What a person wants to know of an engine. */
export const summary = (engine: Engine): string[] => [
  `pulumi ${engine.version} (${engine.origin}): ${engine.pulumi}`,
  `language host nodejs: ${engine.languageHost}`,
  ...engine.plugins.map(({ name, version, origin }) => `plugin ${name} ${version}: ${origin}`),
];

async function main([what, option, home, ...rest]: string[]): Promise<number> {
  const isKnown = what === "ensure" || what === "env";
  const isComplete = option === undefined || (option === "--home" && home !== undefined && rest.length === 0);
  if (!isKnown || !isComplete) {
    console.error(usage);
    return 2;
  }
  const engine = await ensureEngine(home === undefined ? {} : { home });
  console.log((what === "env" ? exportLines(engine) : summary(engine)).join("\n"));
  return 0;
}

if (require.main === module) {
  // An orderly exit ends a build that is under way and takes its remains along.
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.once(signal, () => process.exit(128 + number));
  }
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(error instanceof EngineError ? error.message : error);
      process.exitCode = 1;
    },
  );
}
