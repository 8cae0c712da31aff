import type { Service } from "../../components/declaration";
import type { Problem } from "../../components/problems";

/** A service that keeps browsers on one of its instances, on a platform that sends each request to any of them. */
export function checkSticky(app: string, service: Service, instances: number, platform: string): Problem[] {
  if (service.sticky !== true || instances <= 1) return [];
  return [
    {
      where: `${app}.${service.name}.sticky`,
      what: `It keeps browsers on one of ${instances} instances; ${platform} sends each request to any of them.`,
      fix: `pulumi config set --path ${app}:instances.${service.name} 1, or choose another target`,
    },
  ];
}
