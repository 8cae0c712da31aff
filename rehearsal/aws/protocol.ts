/** A request to AWS as the relay reads it. */
export interface AwsCall {
  /** The service's signing name, such as `ec2`, `ssm` or `s3`; empty where the request isn't signed. */
  readonly service: string;
  readonly region: string;
  /** `RunInstances`; for services that have paths in place of actions, `PUT /bucket/key`. */
  readonly action: string;
  /** The parameters of a query service such as EC2; empty for the others. */
  readonly parameters: URLSearchParams;
}

/** What of an HTTP request tells which call it is. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const header = (head: RequestHead, name: string): string => {
  const value = head.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? "";
};

/** Whether the request's body has to be read to know its action: that of a query service, which is small. */
export function actionIsInBody(head: RequestHead): boolean {
  return header(head, "content-type").startsWith("application/x-www-form-urlencoded");
}

/** Reads a request. The signature's scope names region and service: docs.aws.amazon.com, "Signature Version 4", credential scope. */
export function readCall(head: RequestHead, body = ""): AwsCall {
  const scope = /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(header(head, "authorization"));
  const [, region = "us-east-1", service = ""] = scope ?? [];
  const parameters = new URLSearchParams(actionIsInBody(head) ? body : "");
  const target = header(head, "x-amz-target").split(".").at(-1) ?? "";
  const action = parameters.get("Action") ?? (target === "" ? `${head.method} ${head.path}` : target);
  return { service, region, action, parameters };
}

/** An error as AWS answers it. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** An HTTP answer's content type and body. */
export interface ErrorAnswer {
  readonly type: string;
  readonly body: string;
}

/** Writes an error in the form that the called service has for it: EC2's, the other query services', S3's, or JSON. */
export function writeRefusal({ service, action, parameters }: AwsCall, { code, message }: Refusal): ErrorAnswer {
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  const xml = (body: string): ErrorAnswer => ({
    type: "text/xml",
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  });
  if (service === "ec2") return xml(`<Response><Errors>${error}</Errors><RequestID>rehearsal</RequestID></Response>`);
  if (service === "s3") return xml(error);
  if (parameters.has("Action")) return xml(`<ErrorResponse>${error}<RequestId>rehearsal</RequestId></ErrorResponse>`);
  const isRest = action.includes(" ");
  return {
    type: isRest ? "application/json" : "application/x-amz-json-1.1",
    body: JSON.stringify({ __type: code, code, message }),
  };
}
