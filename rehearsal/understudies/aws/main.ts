import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { watchEngine } from "./guard";
import { reporterTo } from "./reporter";
import { service } from "./server";

// The bundler sets it to the version of @pulumi/aws (engine/bundles.ts).
const version = process.env["HOMEPORT_UNDERSTUDY_VERSION"] ?? "0.0.0";

// As the engine's own plugins have it (@pulumi/pulumi, runtime/settings.ts): states may be large.
const largest = 1024 * 1024 * 400;

const server = new grpc.Server({ "grpc.max_receive_message_length": largest, "grpc.max_send_message_length": largest });
server.addService(ResourceProviderService, service(version, reporterTo(process.argv.at(-1) ?? "")));
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  watchEngine();
  // The engine reads the port from the first line.
  process.stdout.write(`${port}\n`);
});
