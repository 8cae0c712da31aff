import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { S3Connection } from "../../../drivers/s3/spec";
import { openStore } from "../../../drivers/s3/store";

describe("calls to an S3 store", () => {
  let server: Server;
  let seen: IncomingHttpHeaders[];
  before((done) => {
    server = createServer((request, response) => {
      seen.push(request.headers);
      response.writeHead(200).end();
    }).listen(0, "127.0.0.1", done);
  });
  after((done) => {
    server.closeAllConnections();
    server.close(done);
  });

  const look = async (key: Partial<S3Connection>): Promise<IncomingHttpHeaders | undefined> => {
    seen = [];
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = await openStore({
      connection: { endpoint, region: "eu-central-1", forcePathStyle: true, ...key },
      bucket: { name: "archive", adopt: true, tags: { a: "b" }, onDelete: "keep" },
    });
    assert.equal(await store.presence(), "ours to use");
    store.close();
    return seen[0];
  };
  const key = { accessKeyId: "ASIAEXAMPLE", secretAccessKey: "marker-secret" };

  it("bear the token of a temporary key, and none of a lasting one", async () => {
    const temporary = await look({ ...key, sessionToken: "marker-token" });
    assert.equal(temporary?.["x-amz-security-token"], "marker-token");
    assert.match(temporary["authorization"] ?? "", /Credential=ASIAEXAMPLE\/.*x-amz-security-token/);
    assert.equal((await look(key))?.["x-amz-security-token"], undefined);
  });
});
