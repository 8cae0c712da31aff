import type { Facts, InstanceFacts } from "./facts";
import type { RoleCredentials } from "./metadata";

/** An error that moto answered. */
export class EmulatorError extends Error {}

/** moto behind the relay: its control routes, and calls of EC2's API that the relay makes itself. */
export class Emulator {
  constructor(
    readonly host: string,
    readonly port: number,
  ) {}

  private url(path: string): string {
    return `http://${this.host}:${this.port}${path}`;
  }

  private async json<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(
      this.url(`/homeport/${path}`),
      body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
    );
    const said = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new EmulatorError(said.error ?? `moto answered ${response.status}`);
    return said;
  }

  facts(): Promise<Facts> {
    return this.json<Facts>("facts");
  }

  credentials(instance: InstanceFacts, role: string): Promise<RoleCredentials> {
    const query = new URLSearchParams({ region: instance.region, role, session: instance.id });
    return this.json<RoleCredentials>(`credentials?${query.toString()}`);
  }

  /** Publishes a newer image under a public parameter's name. @returns its id */
  async move(region: string, parameter: string): Promise<string> {
    return (await this.json<{ image: string }>("move", { region, parameter })).image;
  }

  /** A public parameter's value. */
  async parameter(region: string, name: string): Promise<string> {
    const response = await fetch(this.url("/"), {
      method: "POST",
      headers: {
        ...signed(region, "ssm"),
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AmazonSSM.GetParameter",
      },
      body: JSON.stringify({ Name: name }),
    });
    const said = (await response.json()) as { Parameter?: { Value: string }; message?: string };
    if (said.Parameter === undefined) throw new EmulatorError(`${name}: ${said.message ?? response.status}`);
    return said.Parameter.Value;
  }

  /** Calls EC2. `ids` are those that what it makes shall have. @returns the XML of the answer */
  async ec2(
    region: string,
    action: string,
    parameters: Readonly<Record<string, string>>,
    ids: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const response = await fetch(this.url("/"), {
      method: "POST",
      headers: { ...signed(region, "ec2"), "x-homeport-ids": JSON.stringify(ids) },
      body: new URLSearchParams({ Action: action, Version: "2016-11-15", ...parameters }),
    });
    const text = await response.text();
    if (!response.ok) throw new EmulatorError(`${action}: ${/<Message>([^<]*)/.exec(text)?.[1] ?? text}`);
    return text;
  }
}

/** moto reads a signature's scope and doesn't check the signature. */
function signed(region: string, service: string): Record<string, string> {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAREHEARSAL/20250101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  };
}
