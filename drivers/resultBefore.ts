/**
 * What the resource's run before has printed, as far as it reads as JSON: on an update the command provider hands it over
 * (https://www.pulumi.com/registry/packages/command/api-docs/local/command/, `update`).
 */
export function resultBefore<T extends object>(): Partial<T> {
  try {
    const parsed: unknown = JSON.parse(process.env["PULUMI_COMMAND_STDOUT"] ?? "");
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
