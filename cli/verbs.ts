/** One option of the command line. */
export interface OptionSpec {
  /** What stands for its value in the help; left out where it takes none. */
  readonly value?: string;
  readonly short?: string;
  readonly about: string;
}

export interface PositionalSpec {
  readonly name: string;
  readonly optional?: true;
}

/** A verb: everything that parsing, help and the reference need to know of it. */
export interface Verb {
  readonly name: string;
  readonly about: string;
  readonly positionals: readonly PositionalSpec[];
  /** What follows `--`. Left out where nothing may. */
  readonly rest?: { readonly name: string; readonly optional?: true };
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Paragraphs for the verb's own help. */
  readonly details: readonly string[];
  readonly examples: readonly string[];
}

/** Options that every verb takes. */
export const commonOptions = {
  stack: {
    value: "NAME",
    short: "s",
    about: "The stack. Left out: PULUMI_STACK, else the one that `pulumi stack select` chose.",
  },
  cwd: {
    value: "DIR",
    short: "C",
    about: "Folder of the stack's Pulumi.yaml. Left out: this one or one above it, else Homeport's own.",
  },
  help: { short: "h", about: "Tell how a verb is used." },
  version: { about: "Print Homeport's version." },
} as const satisfies Readonly<Record<string, OptionSpec>>;

const json: OptionSpec = { about: "Print JSON for programs." };
const app: PositionalSpec = { name: "app" };
const someApp: PositionalSpec = { name: "app", optional: true };

const verb = (name: string, about: string, rest: Partial<Omit<Verb, "name" | "about">>): Verb => ({
  ...{ name, about, positionals: [], options: {}, details: [], examples: [] },
  ...rest,
});

/** What of an archive a call is about. */
const selection: Readonly<Record<string, OptionSpec>> = {
  prefix: { value: "TEXT", about: "Only keys that begin so, as `performance/2025/06/`." },
  from: { value: "DATE", about: "Only of this day or month and later: 2025-06-15, 2025-06, or 7d for a week ago." },
  to: { value: "DATE", about: "Only up to this day or month, which is included." },
};
const selecting =
  "A file's date is the one in its key (2025/06/15, 2025-06-15, 20250615, 2025/06), else the day in UTC on which it was " +
  "archived. Backups of databases are left out unless --prefix asks for them: `backups` and `restore` are for those.";
const overwrite: OptionSpec = { about: "Replace files of the same name. Left out: they stay as they are." };

/** All verbs, in the order in which help lists them. */
export const verbs: readonly Verb[] = [
  verb("status", "How apps are: services, schedules, databases, backups, disks", {
    positionals: [someApp],
    options: { json },
    details: [
      "Times are as the host sees them; local backups are counted, `homeport backups` also lists those in the archive.",
      "Ends with 1 where something isn't well, so that scripts can ask.",
    ],
    examples: ["homeport status", "homeport status catscan --json | jq .apps[0].services"],
  }),
  verb("logs", "Log lines of an app, a service, a job or a database", {
    positionals: [app, { name: "part", optional: true }],
    options: {
      follow: { short: "f", about: "Go on with new lines as they come, until Ctrl-C." },
      lines: { value: "N", short: "n", about: "The newest N lines. Left out: 100, or all where --since is given." },
      since: {
        value: "TIME",
        about: "Lines from then on: a length of time (15m, 2h, 1d) or an instant (2025-05-01T08:00Z).",
      },
    },
    details: ["Times are UTC. Without a part: all services, release steps, jobs, backups and the watch."],
    examples: ["homeport logs hotrod worker -f", "homeport logs shopifly scrape --since 1d"],
  }),
  verb("run", "Run a declared job or command now", {
    positionals: [app, { name: "job|command" }],
    rest: { name: "arguments", optional: true },
    details: [
      "A job starts through its own unit, with its time limit and alerts, and refuses to run twice at once (code 75). Its log " +
        "is shown, and its result is the exit code. Ctrl-C stops it; a lost connection doesn't.",
      "A command runs in the service's place (its release, variables, volumes and rights), attached to this terminal or to " +
        "pipes, and its exit code is returned. Arguments for it go after `--`.",
    ],
    examples: [
      "homeport run catscan gmail-import",
      "homeport run shopifly report -- --format weekly > report.md",
      "homeport run catscan gmail-login",
    ],
  }),
  verb("exec", "Run any command in a service's place", {
    positionals: [app, { name: "service" }],
    rest: { name: "command" },
    details: ["It sees what the service sees: release, variables, volumes, rights. Its exit code is returned."],
    examples: ["homeport exec hotrod web -- node --version", "homeport exec catscan api -- bash"],
  }),
  verb("backup", "Back databases up now, as their schedules would", {
    positionals: [app, { name: "database", optional: true }],
    details: [
      "Without a database: all that have backups, one after the other. On Fly also a volume, `web_1`: a snapshot is made.",
    ],
    examples: ["homeport backup catscan", "homeport backup hotrod db", "homeport backup hotrod web_1"],
  }),
  verb("backups", "The backups that are there, on the host and in the archive", {
    positionals: [app, { name: "database", optional: true }],
    options: { json, all: { about: "All of them. Left out: the newest five in each place." } },
    examples: ["homeport backups hotrod"],
  }),
  verb("restore", "Put a backup in the place of the present data", {
    positionals: [app, { name: "database" }, { name: "latest|FILE|KEY" }],
    options: { yes: { short: "y", about: "Don't ask, also in a live stack." } },
    details: [
      "FILE is a file of this machine (sent over SSH), or one that `homeport backups` lists; KEY is a key of the archive.",
      "The archive is proven first; only then the app stops, for as long as the change takes. The present data is kept aside, " +
        "and the last line says where. A live stack asks for the app's name first.",
      "A volume, too, from one of its snapshots: on Fly a new machine with a copy takes the place of the present one, on " +
        "Render the copy takes the place of the present data, which is lost.",
    ],
    examples: [
      "homeport restore catscan db latest",
      "homeport restore tileshop db ./old-database.dump",
      "homeport restore hotrod web_1 latest",
    ],
  }),
  verb("archive", "What an app has archived, by date", {
    positionals: [app, { name: "bucket", optional: true }],
    options: { json, ...selection },
    details: [
      selecting,
      "The stack's state says where the archive is. It is read with the key that the stack has for it; on AWS with this machine's " +
        "own credentials, those of `pulumi up`.",
    ],
    examples: [
      "homeport archive catscan",
      "homeport archive catscan --prefix performance/ --from 2025-06 --to 2025-06",
    ],
  }),
  verb("fetch", "Get files out of an archive, to this machine or into a service", {
    positionals: [app, { name: "bucket", optional: true }],
    options: {
      ...selection,
      folder: { value: "DIR", about: "To this folder of this machine." },
      into: { value: "SERVICE:DIR", about: "Into a folder on a volume of a service, by way of this machine." },
      packed: { about: "Leave `.gz` files as they are. Left out: they are unpacked." },
      overwrite,
    },
    details: [
      selecting,
      "Files lie below the folder as their keys say. Each has its name only once it is whole, so that a call that was cut off " +
        "can be repeated: what is there stays.",
    ],
    examples: [
      "homeport fetch catscan --prefix performance/ --from 2025-06-01 --to 2025-06-30 --into api:/data/recovery",
      "homeport fetch catscan --prefix performance/2025/06/15/ --folder recovery",
    ],
  }),
  verb("copy", "Put a file of this machine into a service's volume", {
    positionals: [app, { name: "service" }, { name: "file" }, { name: "folder" }],
    options: { overwrite },
    details: [
      "The folder is one below a volume, as the service sees it. The file belongs to the service's user and has its name only " +
        "once it is whole. The other way: homeport exec <app> <service> -- cat /FOLDER/FILE > FILE",
    ],
    examples: ["homeport copy shopifly dashboard P001.vtt /data/interviews/transcripts"],
  }),
  verb("rollback", "Go back to the release before", {
    positionals: [app],
    details: [
      "Code, variables, jobs and proxy go back to what was deployed before the present version, without losing a request; " +
        "databases and data don't. Once more, and it goes forward again.",
      "Neither the stack nor the source knows of it: the next deploy of a changed app brings the declared version.",
    ],
    examples: ["homeport rollback catscan"],
  }),
  verb("restart", "Restart an app's services, each healthy before the next", {
    positionals: [app, { name: "service", optional: true }],
    details: ["A service with several instances goes on answering. One with a single instance is away for its start."],
    examples: ["homeport restart hotrod worker"],
  }),
  verb("repair", "Have the next `up` make what somebody took away", {
    positionals: [app],
    details: [
      "`pulumi up` leaves an app alone whose declaration hasn't changed, whatever became of it on its platform. After this, the " +
        "next one looks at all of the app and makes what isn't there; what is there as declared stays untouched.",
      "Only the stack's state is changed. `homeport status` tells what is missing, on Fly.",
    ],
    examples: ["homeport repair hotrod"],
  }),
  verb("recover", "After a deploy that was killed: take in what it was making", {
    details: [
      "An engine that is killed while a platform makes something can't know what became of it. Each such thing is looked for by " +
        "its name or tags, and what is there becomes part of the stack's state; the next `pulumi up` makes the rest.",
      "Where a killed run still holds the stack, `pulumi cancel` comes first. Nothing of the platform is taken away, and what " +
        "can't be decided is told with the commands that settle it (code 1).",
    ],
    examples: ["homeport recover --stack prod"],
  }),
  verb("checklist", "What a person must do or look at", {
    positionals: [app],
    options: { when: { value: "WHEN", about: "before, after or weekly. Left out: all." } },
    examples: ["homeport checklist clausea --when before"],
  }),
  verb("explain", "Every variable: kind, dev and live values, and what the stack makes of it", {
    positionals: [someApp],
    options: { json },
    details: [
      "`=` is fixed by the declaration, `->` is another part's value, secrets are told as set or missing and never shown.",
      "Without a stack: the declarations alone.",
    ],
    examples: ["homeport explain hotrod --stack prod"],
  }),
  verb("blueprint", "An app as a render.yaml, for those who would rather connect one to Render", {
    positionals: [app],
    details: [
      "It is made from the same declaration and settings (`render:*`) that a deploy to Render is. Secrets aren't in it: Render " +
        "asks for them. Connect it to services of its own: one that syncs what the stack deploys would undo that.",
    ],
    examples: ["homeport blueprint hotrod --stack dev > render.yaml"],
  }),
  verb("apps", "The apps, their parts, and where this stack puts them", {
    options: { json },
    examples: ["homeport apps --stack dev"],
  }),
  verb("doctor", "Look at this machine, the stack's configuration and its hosts", {
    details: ["Changes nothing. Ends with 1 where something has to be mended; each line says how."],
    examples: ["homeport doctor --stack prod"],
  }),
  verb("help", "Tell how a verb is used", {
    positionals: [{ name: "verb", optional: true }],
    examples: ["homeport help restore"],
  }),
];
