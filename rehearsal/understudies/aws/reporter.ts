import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Shows what the provider does in the engine's own display. */
export interface Reporter {
  /** Shows lines beside a resource; each one takes the place of the one before. */
  of(urn: string): (line: string) => void;
}

/** A reporter to the engine at an address. A line that doesn't get there is no failure. */
export function reporterTo(address: string): Reporter {
  let client: EngineClient | undefined;
  const last = new Map<string, string>();
  return {
    of: (urn) => (line) => {
      if (last.get(urn) === line) return;
      last.set(urn, line);
      client ??= new EngineClient(address, grpc.credentials.createInsecure());
      const request = new LogRequest();
      request.setSeverity(LogSeverity.INFO);
      request.setUrn(urn);
      request.setMessage(line);
      request.setEphemeral(true);
      client.log(request, () => undefined);
    },
  };
}
