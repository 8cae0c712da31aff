import type { RenderService } from "./plan";
import { tokensIn } from "./tokens";

/** The services whose host names a service has to be told. */
const needed = ({ env, files }: RenderService): string[] =>
  [...Object.values(env), ...Object.values(files)].flatMap((text) =>
    tokensIn(text).flatMap(({ kind, part }) => (kind === "host" ? [part] : [])),
  );

/** Services in the order in which they are deployed: each after those whose host names it needs. */
export function inStages(services: readonly RenderService[]): RenderService[] {
  const byPart = new Map(services.map((service) => [service.part, service]));
  const stageOf = (service: RenderService, above: readonly string[]): number => {
    const others = needed(service).filter((part) => part !== service.part && !above.includes(part));
    const stages = others.map((part) => {
      const other = byPart.get(part);
      return other === undefined ? -1 : stageOf(other, [...above, service.part]);
    });
    return Math.max(service.stage, ...stages.map((stage) => stage + 1));
  };
  return services
    .map((service) => ({ ...service, stage: stageOf(service, []) }))
    .sort((one, other) => one.stage - other.stage);
}
