/** What `pulumi config --json` tells of a stack; of secrets, only that they are. */
export type StackValues = Readonly<Record<string, { readonly value?: string }>>;

/** How a run gets to a stack's instances of EC2. */
export type Way =
  /** It needn't: the stack has none, or somebody else's security group decides. */
  | { readonly kind: "open" }
  /** Through Session Manager; an instance is in one of the regions. */
  | { readonly kind: "session"; readonly regions: readonly string[] }
  /** Not at all: port 22 of these instances is open to configured addresses alone. */
  | { readonly kind: "closed"; readonly instances: readonly string[] };

/** @param hosted whether GitHub's own machine runs the job, whose address is another each time */
export function wayTo(values: StackValues, hosted: boolean): Way {
  const text = (key: string): string => values[key]?.value ?? "";
  const apps = Object.keys(values).flatMap((key) =>
    text(key) === "ec2" ? (/^(.+):target$/.exec(key)?.[1] ?? []) : [],
  );
  const deployed = listed(text("homeport:apps"));
  if (!apps.some((app) => deployed === undefined || deployed.includes(app))) return { kind: "open" };
  const instances = Object.entries(instancesOf(text("ec2:instances")));
  if (text("ec2:session") === "true") {
    const regions = [text("aws:region"), ...instances.map(([, { region }]) => region ?? "")];
    return { kind: "session", regions: [...new Set(regions)].filter((region) => region !== "") };
  }
  const made = instances.filter(([, { id }]) => id === undefined).map(([name]) => name);
  return hosted && made.length > 0 ? { kind: "closed", instances: made } : { kind: "open" };
}

interface InstanceValues {
  readonly id?: string;
  readonly region?: string;
}

/** None where it can't be read: the preview says what is wrong with it. */
function instancesOf(text: string): Record<string, InstanceValues> {
  const read = parsed(text);
  if (typeof read !== "object" || read === null) return {};
  return Object.fromEntries(Object.entries(read).filter(([, one]) => typeof one === "object" && one !== null));
}

function listed(text: string): readonly unknown[] | undefined {
  const read = parsed(text);
  return Array.isArray(read) ? read : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Text for the shell's single quotes. Regions have none, whatever else somebody wrote into the stack's file. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * What ssh runs to get to an instance by its id (Systems Manager user guide, "Allow and control permissions for SSH
 * connections through Session Manager"). A session is asked for in the instance's region, which is looked up once.
 */
export const proxyScript = (regions: readonly string[]): string => `#!/bin/sh
found="$0.$1"
if [ ! -s "$found" ]; then
  for region in ${regions.map(quoted).join(" ")}; do
    if aws ec2 describe-instances --region "$region" --instance-ids "$1" > /dev/null 2>&1; then
      printf '%s\\n' "$region" > "$found"
      break
    fi
  done
fi
if [ ! -s "$found" ]; then
  echo "There is no instance $1 in ${regions.join(", ").replaceAll(/[^\w, -]/g, "?")}, or this run may not look." >&2
  exit 1
fi
exec aws ssm start-session --region "$(cat "$found")" --target "$1" \\
  --document-name AWS-StartSSHSession --parameters "portNumber=$2"
`;

/** Lines of ~/.ssh/config by which instances are reached by their ids. */
export const sshConfig = (script: string): string => `Host i-*
  ProxyCommand "${script}" %h %p
`;
