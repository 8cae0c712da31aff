import * as pulumi from "@pulumi/pulumi";

/** One resource as the program asked for it. */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** Sets Pulumi's mocks and records every resource. An unexpected function call fails the test. */
export async function recordResources(): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => {
        recorded.push({ type, name, inputs: inputs as Record<string, unknown> });
        return { id: `${name}-id`, state: { ...(inputs as object), ...madeUp(type, name) } };
      },
      call: ({ token }: pulumi.runtime.MockCallArgs) => {
        throw new Error(`No mock answers ${token}.`);
      },
    },
    "homeport",
    "dev",
    false,
  );
  return recorded;
}

function madeUp(type: string, name: string): Record<string, unknown> {
  if (type === "random:index/randomPassword:RandomPassword") return { result: `generated-${name}` };
  if (type === "random:index/randomId:RandomId") return { hex: "0a1b2c3d" };
  if (type === "docker:index/image:Image")
    return { repoDigest: `registry.example.com/${name}@sha256:${"1".repeat(64)}` };
  if (type === "command:local:Command") return { stdout: "{}", stderr: "" };
  return {};
}

/** The value of an output, for `await` in tests. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
