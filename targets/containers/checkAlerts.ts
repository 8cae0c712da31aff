import type { ResolvedApp } from "../../components/resolvedApp";

/** A platform on which Homeport runs nothing of its own, so that nothing posts alerts there or calls a job's ping. */
export interface UnalertedPlatform {
  /** As people call it: `Railway`. */
  readonly name: string;
  /** What it has itself, as somebody would set it up: `its project's Settings, Webhooks`. */
  readonly instead: string;
}

type Alerted = Pick<ResolvedApp, "stack" | "stackSettings"> & {
  readonly declaration: Pick<ResolvedApp["declaration"], "name" | "jobs">;
};

/**
 * The stack's settings of alerts that do nothing for apps on such a platform, a sentence each. A stack may have them for the
 * sake of its other apps, so they are no reason to refuse it. Pure.
 */
export function unalerted(apps: readonly Alerted[], { name, instead }: UnalertedPlatform): string[] {
  const named = (some: readonly Alerted[]) => some.map(({ declaration }) => declaration.name).join(", ");
  const alerted = apps.filter(({ stackSettings }) => stackSettings.alertWebhook !== undefined);
  const pinged = apps.filter(
    ({ stackSettings, declaration }) => stackSettings.pingUrl !== undefined && declaration.jobs.length > 0,
  );
  return [
    ...(alerted.length === 0
      ? []
      : [`homeport:alertWebhook: On ${name} nothing posts alerts about ${named(alerted)} there; set up ${instead}.`]),
    ...(pinged.length === 0
      ? []
      : [
          `homeport:pingUrl: Jobs of ${named(pinged)} don't call it on ${name}: a job that is to be missed calls it at the end of its own command.`,
        ]),
  ];
}

/** Says so at each preview and deploy, which go on. */
export async function warnUnalerted(apps: readonly Alerted[], platform: UnalertedPlatform): Promise<void> {
  // Loaded here, as the command line loads targets without Pulumi's SDK.
  const { log } = await import("@pulumi/pulumi");
  for (const line of unalerted(apps, platform)) await log.warn(line);
}
