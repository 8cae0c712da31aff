import type { HostPlan } from "../plan";
import { earlyFiles, sharedFiles } from "./earlyFiles";
import { firewallInput } from "./firewall";
import { lateFiles } from "./lateFiles";
import { slots } from "./names";
import { planScript } from "./planScript";
import { domainList, domainMap, proxyText } from "./proxy";
import { serviceHash, slotFiles } from "./slotFiles";
import { manifested, stageFile, type InstalledFile, type StageFile, type When } from "./stageFile";

/** Everything that a host is sent for one app but deploy.sh, the tools and releases. Secret as a whole. */
export interface Stage {
  readonly files: readonly StageFile[];
  /** By service: what its running processes are made of, whichever slot they are in. Equal means nothing to start anew. */
  readonly hashes: Readonly<Record<string, string>>;
}

/**
 * The plan as text, in the form that LAYOUT.md fixes. Pure.
 * @throws Error where the plan contradicts itself, or holds a value that a host's files can't (a NUL, a path with a colon).
 */
export function renderStage(plan: HostPlan): Stage {
  const hashes = Object.fromEntries(plan.services.map((service) => [service.name, serviceHash(plan, service)]));
  const files = [
    stageFile("plan.sh", planScript(plan, hashes)),
    ...manifested("", [
      ...at("shared", sharedFiles(plan)),
      ...at("early", earlyFiles(plan)),
      ...at("late", lateFiles(plan)),
    ]),
    ...plan.services.flatMap((service) =>
      slots.flatMap((slot) => manifested(`slots/${service.name}/${slot}/`, slotFiles(plan, service, slot))),
    ),
    ...plan.services.flatMap((service) =>
      service.secretFiles
        .filter((file) => file.rewritten)
        .map((file) => stageFile(`rewritten/${service.name}/${file.variable}`, file.content)),
    ),
    ...plan.databases.flatMap((database) =>
      database.engine === "postgres" ? [stageFile(`secrets/${database.name}.password`, database.password)] : [],
    ),
    ...optional("proxy.cfg", proxyText(plan)),
    ...optional("domains", domainList(plan)),
    ...optional("domains.map", domainMap(plan)),
    stageFile("firewall.nft", firewallInput(plan)),
  ];
  return { files, hashes };
}

const at = (when: When, files: readonly InstalledFile[]): readonly (InstalledFile & { readonly when: When })[] =>
  files.map((file) => ({ ...file, when }));

const optional = (path: string, content: string | undefined): readonly StageFile[] =>
  content === undefined || content === "" ? [] : [stageFile(path, content)];
