import { list, shape, text } from "../../components/parsers";
import { setting, type Settings, type ValuesOf } from "../../components/settings";

/** Days that CloudWatch takes for `retentionInDays` (CloudWatch Logs API reference, PutRetentionPolicy). */
const retentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288];

/** The part of `ec2:` on alarms, logs, cost, and who deploys from GitHub. */
export const watchingSettings = {
  alarmEmails: setting(
    list(email),
    {
      about:
        "Who is written to when an alarm goes off, and when a host finds a failed job, health check or backup. " +
        "AWS asks each address once whether it wants that.",
      example: '["ops@example.com"]',
    },
    [] as readonly string[],
  ),
  budget: setting(dollars, { about: "US dollars a month of the whole account that alarm at 80 %.", example: "50" }),
  logDays: setting(days, { about: "Days that CloudWatch keeps the apps' logs.", example: "30" }, 30),
  github: setting(
    shape({
      /** `owner/name` of the repository whose workflows preview and deploy the stack. */
      repository,
      /** GitHub environment whose approval a deploy needs; only its jobs get the deploying role. @default production */
      environment: text,
      /** Branch whose own runs may preview, such as a nightly look for drift. @default main */
      branch: text,
      /** The account's provider for GitHub's tokens, where it has one: an account can have one only. */
      provider: providerArn,
      /** Bucket of the stack's state, where `pulumi login s3://…` keeps it. */
      stateBucket: text,
      /** KMS key that encrypts the state's secrets, `awskms://…`'s ARN. */
      secretsKey: keyArn,
    }),
    {
      about: "The repository that deploys: repository, environment, branch, provider, stateBucket, secretsKey.",
      example: '{"repository":"example/homeport"}',
    },
  ),
} satisfies Settings;

export type WatchingSettings = ValuesOf<typeof watchingSettings>;
export type GithubSettings = NonNullable<WatchingSettings["github"]>;

function email(value: string): string {
  if (/^[^@\s]+@[^@\s]+\.[^@\s.]+$/.test(value)) return value;
  throw new RangeError(`"${value}" isn't an address such as ops@example.com.`);
}

function dollars(value: string): number {
  const number = Number(value);
  if (value.trim() !== "" && Number.isFinite(number) && number >= 1) return number;
  throw new RangeError(`"${value}" isn't an amount of US dollars, a number from 1 up.`);
}

function days(value: string): number {
  const number = Number(value);
  if (retentions.includes(number)) return number;
  const near = retentions.find((one) => one >= number) ?? retentions.at(-1);
  throw new RangeError(`CloudWatch doesn't keep logs for "${value}" days; ${near} is the nearest that it does.`);
}

function repository(value: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/.test(value)) return value;
  throw new RangeError(`"${value}" isn't a repository such as example/homeport.`);
}

function providerArn(value: string): string {
  if (/^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/token\.actions\.githubusercontent\.com$/.test(value)) return value;
  throw new RangeError(
    `"${value}" isn't the ARN of GitHub's provider, ` +
      "arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com.",
  );
}

function keyArn(value: string): string {
  if (/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/.test(value)) return value;
  throw new RangeError(`"${value}" isn't the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID.`);
}
