import type { ConfigEntry, StackConfig } from "../../../components/settings";
import { hostKey, workingConfig } from "../../support/config";

/** The instance that shopifly lives on (its runbook). */
export const shopiflyInstance = {
  id: "i-0f05fffd1aba8db0b",
  region: "us-east-1",
  type: "t3.xlarge",
  address: "54.197.8.56",
  hostKey,
};
/** The instance that catscan is to have (its runbook). */
export const catscanInstance = { type: "t3.micro", region: "eu-central-1", sshFrom: ["203.0.113.7/32"] };

/** A live stack with its two apps of EC2: shopifly on the instance that exists, catscan on a new one. */
export function liveConfig(changes: Record<string, ConfigEntry | string | undefined> = {}): StackConfig {
  const { entries } = workingConfig({
    "homeport:environment": "live",
    "homeport:apps": '["shopifly","catscan"]',
    "shopifly:target": "ec2",
    "catscan:target": "ec2",
    "shopifly:allowFrom": '["203.0.113.0/24"]',
    "catscan:buckets": '{"archive":"rtbcat-csv-archive-frankfurt-328614522524"}',
    "aws:region": "us-east-1",
    "ec2:instances": JSON.stringify({ shopifly: shopiflyInstance, catscan: catscanInstance }),
    "s3:endpoint": undefined,
    ...changes,
  });
  return { stack: "prod", entries };
}

/** The same with other fields of the two instances; null takes a field away. */
export function withInstances(
  fields: { readonly shopifly?: object; readonly catscan?: object; readonly others?: object },
  changes: Record<string, ConfigEntry | string | undefined> = {},
): StackConfig {
  const merge = (base: object, more: object = {}) =>
    Object.fromEntries(Object.entries({ ...base, ...more }).filter(([, value]) => value !== null));
  const instances = {
    shopifly: merge(shopiflyInstance, fields.shopifly),
    catscan: merge(catscanInstance, fields.catscan),
    ...fields.others,
  };
  return liveConfig({ "ec2:instances": JSON.stringify(instances), ...changes });
}
