import { getStack, runtime } from "@pulumi/pulumi";
import { brokenFile } from "./components/declare";
import { deployStack } from "./components/deploy";
import { ProblemReport, unforeseen } from "./components/report";
import type { ConfigEntry } from "./components/settings";
import { targets } from "./targets";

// The published types leave it out, yet nothing else tells whether a value was set with `--secret`.
const { isConfigSecret } = runtime as unknown as { isConfigSecret: (key: string) => boolean };

export = async () => {
  const entries = new Map<string, ConfigEntry>();
  for (const [key, value] of Object.entries(runtime.allConfig())) {
    entries.set(key, { value, secret: isConfigSecret(key) });
  }
  const stack = getStack();
  const { apps } = await import("./apps").catch((error: unknown) => {
    throw new ProblemReport([brokenFile(error, "apps")], stack);
  });
  return deployStack({ apps, targets, config: { stack, entries }, cwd: __dirname }).catch((error: unknown) => {
    throw unforeseen(error);
  });
};
