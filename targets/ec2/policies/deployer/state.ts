import { allow, type Statement } from "../document";
import type { GithubScope } from "./scope";

/**
 * The state, where `pulumi login s3://…` keeps it below `.pulumi/` (Pulumi docs, "Managing state and backends"). A preview
 * reads it and takes a lock; an update writes it. The key only ever decrypts the stack's own, which encrypts the secrets.
 */
export function state({ partition, stateBucket, secretsKey }: GithubScope, may: "locks" | "all"): Statement[] {
  const bucket = `arn:${partition}:s3:::${stateBucket ?? ""}`;
  const key = secretsKey === undefined ? [] : [allow("SecretsKey", ["kms:Decrypt"], secretsKey)];
  if (stateBucket === undefined) return key;
  return [
    ...key,
    allow("ListState", ["s3:ListBucket"], bucket),
    allow("ReadState", ["s3:GetObject"], `${bucket}/.pulumi/*`),
    allow(
      "WriteState",
      ["s3:DeleteObject", "s3:PutObject"],
      may === "all" ? `${bucket}/.pulumi/*` : `${bucket}/.pulumi/locks/*`,
    ),
  ];
}
