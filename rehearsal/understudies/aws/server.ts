import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { connectionOf } from "./connection";
import { defaultsKey } from "./check";
import { InitError } from "./errors";
import { working } from "./guard";
import type { Reporter } from "./reporter";
import { Provider, type Step } from "./provider";
import { type Values, plain } from "./schema";

// What is undefined anywhere within can't be sent.
const struct = (values: Values): Struct =>
  Struct.fromJavaScript(JSON.parse(JSON.stringify(values)) as Record<string, JavaScriptValue>);
const values = (given: Struct | undefined): Values => plain(given?.toJavaScript() ?? {}) as Values;

/** An error as the engine reads it: that of a resource that is there carries what is known of it. */
function statusOf(error: unknown): grpc.ServiceError {
  const message = (error as Error).message;
  const metadata = new grpc.Metadata();
  if (error instanceof InitError) {
    const detail = new proto.ErrorResourceInitFailed();
    detail.setId(error.id);
    detail.setProperties(struct(error.outputs));
    detail.setInputs(struct(error.inputs));
    detail.setReasonsList([message]);
    const any = new Any();
    any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(message);
    status.addDetails(any);
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return Object.assign(new Error(message), { code: grpc.status.UNKNOWN, details: message, metadata });
}

/** A call's handler from a function of its request. The process doesn't end while one is at work. */
function answer<Request, Response>(
  handle: (request: Request) => Promise<Response> | Response,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const done = working();
    void (async () => handle(call.request))()
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(statusOf(error));
        },
      )
      .finally(done);
  };
}

/** What the requests for a resource have in common. */
interface Request {
  getUrn(): string;
  getId?(): string;
  getTimeout?(): number;
}

/** The type and the name at the end of a URN (urn:pulumi:<stack>::<project>::<parent$type>::<name>). */
export function partsOf(urn: string): { type: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

const kinds = {
  add: [proto.PropertyDiff.Kind.ADD, proto.PropertyDiff.Kind.ADD_REPLACE],
  delete: [proto.PropertyDiff.Kind.DELETE, proto.PropertyDiff.Kind.DELETE_REPLACE],
  update: [proto.PropertyDiff.Kind.UPDATE, proto.PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

const failuresOf = (failures: readonly { property: string; reason: string }[]): proto.CheckFailure[] =>
  failures.map(({ property, reason }) => {
    const failure = new proto.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
  });

/** The engine's calls (proto/pulumi/provider.proto). Calls that aren't here are answered with UNIMPLEMENTED. */
export function service(version: string, reporter: Reporter): grpc.UntypedServiceImplementation {
  let configured: Provider | undefined;
  const provider = (): Provider => {
    if (configured === undefined) throw new Error("the provider was asked before it was configured");
    return configured;
  };
  const step = (request: Request): Step => ({
    ...partsOf(request.getUrn()),
    id: request.getId?.() ?? "",
    timeout: request.getTimeout?.() ?? 0,
    status: reporter.of(request.getUrn()),
  });
  const configure = (request: proto.ConfigureRequest): proto.ConfigureResponse => {
    configured = new Provider(connectionOf(values(request.getArgs()), process.env));
    const response = new proto.ConfigureResponse();
    response.setSupportspreview(true);
    // Neither secrets nor resources are taken: the engine hides them, and marks the outputs of the same names.
    response.setAcceptsecrets(false);
    response.setAcceptresources(false);
    response.setAcceptoutputs(false);
    response.setSupportsAutonamingConfiguration(true);
    return response;
  };
  const check = async (request: proto.CheckRequest): Promise<proto.CheckResponse> => {
    const { type, name } = partsOf(request.getUrn());
    const random = Buffer.from(request.getRandomseed_asU8()).toString("hex").slice(0, 7);
    const proposed = request.getAutonaming()?.getProposedName();
    const { inputs, failures } = await provider().check(type, {
      name,
      olds: values(request.getOlds()),
      news: values(request.getNews()),
      random: random === "" ? Math.random().toString(16).slice(2, 9).padEnd(7, "0") : random,
      ...(proposed === undefined || proposed === "" ? {} : { proposed }),
    });
    const response = new proto.CheckResponse();
    response.setInputs(struct(inputs));
    response.setFailuresList(failuresOf(failures));
    return response;
  };
  const diff = (request: proto.DiffRequest): proto.DiffResponse => {
    const { type } = partsOf(request.getUrn());
    const olds = values(request.getOlds());
    const found = provider().diff(type, olds, values(request.getNews()), request.getIgnorechangesList());
    const response = new proto.DiffResponse();
    const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
    response.setChanges(found.differences.length > 0 ? DIFF_SOME : DIFF_NONE);
    response.setHasdetaileddiff(true);
    response.setDeletebeforereplace(found.deleteBeforeReplace);
    for (const { path, root, kind, replaces } of found.differences) {
      const property = new proto.PropertyDiff();
      property.setKind(kinds[kind][replaces ? 1 : 0]);
      response.getDetaileddiffMap().set(path, property);
      if (!response.getDiffsList().includes(root)) response.addDiffs(root);
      if (replaces && !response.getReplacesList().includes(root)) response.addReplaces(root);
    }
    return response;
  };
  const create = async (request: proto.CreateRequest): Promise<proto.CreateResponse> => {
    const response = new proto.CreateResponse();
    const inputs = values(request.getProperties());
    if (request.getPreview()) {
      response.setProperties(struct(provider().previewCreate(partsOf(request.getUrn()).type, inputs)));
      return response;
    }
    const { id, outputs } = await provider().create(step(request), inputs);
    response.setId(id);
    response.setProperties(struct(outputs));
    return response;
  };
  const read = async (request: proto.ReadRequest): Promise<proto.ReadResponse> => {
    const response = new proto.ReadResponse();
    const found = await provider().read(step(request), values(request.getInputs()), values(request.getProperties()));
    if (found === undefined) return response;
    response.setId(found.id);
    response.setInputs(struct({ [defaultsKey]: [], ...found.inputs }));
    response.setProperties(struct(found.outputs));
    return response;
  };
  const update = async (request: proto.UpdateRequest): Promise<proto.UpdateResponse> => {
    const response = new proto.UpdateResponse();
    const [olds, news] = [values(request.getOlds()), values(request.getNews())];
    const outputs = request.getPreview()
      ? provider().previewUpdate(partsOf(request.getUrn()).type, olds, news)
      : await provider().update(step(request), olds, news, request.getIgnorechangesList());
    response.setProperties(struct(outputs));
    return response;
  };
  const invoke = async (request: proto.InvokeRequest): Promise<proto.InvokeResponse> => {
    const { outputs, failures } = await provider().invoke(request.getTok(), values(request.getArgs()));
    const response = new proto.InvokeResponse();
    response.setReturn(struct(outputs));
    response.setFailuresList(failuresOf(failures));
    return response;
  };
  const checkConfig = (request: proto.CheckRequest): proto.CheckResponse => {
    connectionOf(values(request.getNews()), process.env);
    const response = new proto.CheckResponse();
    response.setInputs(request.getNews());
    return response;
  };
  const info = (): PluginInfo => {
    const response = new PluginInfo();
    response.setVersion(version);
    return response;
  };
  return {
    getPluginInfo: answer(info),
    checkConfig: answer(checkConfig),
    diffConfig: answer(() => new proto.DiffResponse()),
    configure: answer(configure),
    invoke: answer(invoke),
    check: answer(check),
    diff: answer(diff),
    create: answer(create),
    read: answer(read),
    update: answer(update),
    delete: answer(async (request: proto.DeleteRequest) => {
      await provider().remove(step(request), values(request.getProperties()));
      return new Empty();
    }),
    cancel: answer(() => {
      configured?.cancel();
      return new Empty();
    }),
    attach: answer(() => new Empty()),
  };
}
