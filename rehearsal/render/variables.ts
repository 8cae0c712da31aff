import { without } from "../platform/without";
import { page, type Handler } from "./operation";
import { serviceOf, variablesOf } from "./services";
import { chance, refuse } from "./world";

type Variables = Parameters<typeof variablesOf>[0];

const named = (values: Readonly<Record<string, string>>, field: "key" | "name", content: "value" | "content") =>
  Object.entries(values).map(([name, value]) => ({ id: name, [field]: name, [content]: value }));

/** Drops the id that pages go by. */
const bare = (item: object): object => without(item as { id?: string }, "id");

const shown = (query: URLSearchParams, kind: string, items: readonly { id: string }[]) => {
  const { body } = page(query, kind, items);
  const rows = body as Record<string, unknown>[];
  return { status: 200, body: rows.map((row) => ({ ...row, [kind]: bare(row[kind] as object) })) };
};

export const getEnvVarsForService: Handler = (request) =>
  shown(request.query, "envVar", named(serviceOf(request).envVars, "key", "value"));

/** Replaces all of them. Deploys nothing. */
export const updateEnvVarsForService: Handler = (request) => {
  const service = serviceOf(request);
  service.envVars = variablesOf(request.body as Variables);
  request.world.store.save();
  return {
    status: 200,
    body: named(service.envVars, "key", "value").map((item) => ({ envVar: bare(item), cursor: item.id })),
  };
};

export const retrieveEnvVar: Handler = (request) => {
  const key = request.values["envVarKey"]!;
  const value = serviceOf(request).envVars[key];
  if (value === undefined) throw refuse(404, `not found: ${key}`);
  return { status: 200, body: { key, value } };
};

export const updateEnvVar: Handler = (request) => {
  const service = serviceOf(request);
  const key = request.values["envVarKey"]!;
  const { value = chance(43) } = request.body as { value?: string };
  service.envVars = { ...service.envVars, ...variablesOf([{ key, value }]) };
  request.world.store.save();
  return { status: 200, body: { key, value } };
};

export const deleteEnvVar: Handler = (request) => {
  const service = serviceOf(request);
  const key = request.values["envVarKey"]!;
  if (service.envVars[key] === undefined) throw refuse(404, `not found: ${key}`);
  service.envVars = without(service.envVars, key);
  request.world.store.save();
  return { status: 204 };
};

interface SecretFile {
  readonly name: string;
  readonly content: string;
}

export const listSecretFilesForService: Handler = (request) =>
  shown(request.query, "secretFile", named(serviceOf(request).secretFiles, "name", "content"));

export const updateSecretFilesForService: Handler = (request) => {
  const service = serviceOf(request);
  const files = request.body as readonly SecretFile[];
  service.secretFiles = Object.fromEntries(files.map(({ name, content }) => [name, content]));
  request.world.store.save();
  return { status: 200, body: files.map((secretFile) => ({ secretFile, cursor: secretFile.name })) };
};

export const retrieveSecretFile: Handler = (request) => {
  const name = request.values["secretFileName"]!;
  const content = serviceOf(request).secretFiles[name];
  if (content === undefined) throw refuse(404, `not found: ${name}`);
  return { status: 200, body: { name, content } };
};

export const addOrUpdateSecretFile: Handler = (request) => {
  const service = serviceOf(request);
  const name = request.values["secretFileName"]!;
  const { content = "" } = request.body as { content?: string };
  service.secretFiles = { ...service.secretFiles, [name]: content };
  request.world.store.save();
  return { status: 200, body: { name, content } };
};

export const deleteSecretFile: Handler = (request) => {
  const service = serviceOf(request);
  const name = request.values["secretFileName"]!;
  if (service.secretFiles[name] === undefined) throw refuse(404, `not found: ${name}`);
  service.secretFiles = without(service.secretFiles, name);
  request.world.store.save();
  return { status: 204 };
};
