import { objectOf, unknown, type Rule, type Violation } from "./rule";

const machines = new Set([
  "aws:ec2/instance:Instance",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:ec2/launchConfiguration:LaunchConfiguration",
]);

/** What looks like a secret in a start-up script: a private key, or an access key of AWS (IAM user guide, "IAM identifiers"). */
const secrets: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, "a private key"],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/, "an access key of AWS"],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/, "an age key"],
  [/\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})/, "a token of GitHub"],
  [/\bsk-[A-Za-z0-9_-]{20,}/, "an API key"],
];

/** Machines whose metadata service asks for a session, and whose start-up script holds no secret. */
export const safeMachine: Rule = (type, props) =>
  machines.has(type) ? [...checkMetadata(props["metadataOptions"]), ...checkUserData(props)] : [];

function checkMetadata(options: unknown): Violation[] {
  const tokens = objectOf(options)["httpTokens"];
  const endpoint = objectOf(options)["httpEndpoint"];
  if (options === unknown || tokens === "required" || tokens === unknown || endpoint === "disabled") return [];
  return [
    {
      what: "Its metadata service answers without a session (IMDSv1).",
      why: "One request that an app can be talked into making hands the machine's credentials to a stranger.",
      fix: 'Declare metadataOptions: { httpTokens: "required" }.',
    },
  ];
}

function checkUserData({ userData, userDataBase64 }: Readonly<Record<string, unknown>>): Violation[] {
  const texts = [userData, userDataBase64].filter((one): one is string => typeof one === "string");
  // Launch templates take it encoded; a text that isn't encoded decodes to something without a match.
  const all = texts.flatMap((text) => [text, Buffer.from(text, "base64").toString("latin1")]);
  return secrets
    .filter(([pattern]) => all.some((text) => pattern.test(text)))
    .map(([, what]) => ({
      what: `Its user data holds ${what}.`,
      why: "User data is shown by the console and the API, kept with the instance, and read by every process on it.",
      fix: "Hand secrets over by the app's variables, which reach the machine over SSH and lie there in files of their own.",
    }));
}
