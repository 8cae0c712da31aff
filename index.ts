import { getStack, runtime } from "@pulumi/pulumi";
import { apps } from "./apps";
import { deployStack } from "./components/deploy";
import type { ConfigEntry } from "./components/settings";
import { targets } from "./targets";

// The published types leave it out, yet nothing else tells whether a value was set with `--secret`.
const { isConfigSecret } = runtime as unknown as { isConfigSecret: (key: string) => boolean };

export = async () => {
  const entries = new Map<string, ConfigEntry>();
  for (const [key, value] of Object.entries(runtime.allConfig())) {
    entries.set(key, { value, secret: isConfigSecret(key) });
  }
  return deployStack({ apps, targets, config: { stack: getStack(), entries }, cwd: __dirname });
};
