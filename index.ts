import { getStack, runtime } from "@pulumi/pulumi";
import { apps } from "./apps";
import { deployStack } from "./components/deploy";
import type { ConfigEntry } from "./components/settings";
import { targets } from "./targets";

export = async () => {
  const entries = new Map<string, ConfigEntry>();
  for (const [key, value] of Object.entries(runtime.allConfig())) {
    entries.set(key, { value, secret: runtime.isConfigSecret(key) });
  }
  return deployStack({ apps, targets, config: { stack: getStack(), entries }, cwd: __dirname });
};
