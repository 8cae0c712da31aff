import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { checkSource, folder, git, parseSource, tarball, type Source } from "../../../drivers/source";
import { refuses } from "./support";

const HASH = "ab".repeat(32);

describe("parseSource", () => {
  const cases: [string, Source][] = [
    ["../cat-scan", folder("../cat-scan")],
    ["cat-scan", folder("cat-scan")],
    [" ../cat-scan ", folder("../cat-scan")],
    ["~/src/x#:sub/dir", folder("~/src/x", { directory: "sub/dir" })],
    ["./git@home:x", folder("./git@home:x")],
    ["./app.tar.gz", tarball("./app.tar.gz")],
    ["/srv/App.TGZ#:web", tarball("/srv/App.TGZ", { directory: "web" })],
    ["https://host/x.tgz?token=a", tarball("https://host/x.tgz?token=a")],
    ["https://host/x.tar.gz", tarball("https://host/x.tar.gz")],
    [`https://host/x.tar#sha256=${HASH}:sub`, tarball("https://host/x.tar", { sha256: HASH, directory: "sub" })],
    [
      "https://codeload.github.com/o/r/tar.gz/refs/tags/v1",
      tarball("https://codeload.github.com/o/r/tar.gz/refs/tags/v1"),
    ],
    ["file:///srv/a%20b.tar.gz", tarball("/srv/a b.tar.gz")],
    ["https://github.com/o/r", git("https://github.com/o/r")],
    ["https://github.com/o/r#v1.2:sub/dir", git("https://github.com/o/r", { ref: "v1.2", directory: "sub/dir" })],
    ["https://github.com/o/r#:sub", git("https://github.com/o/r", { directory: "sub" })],
    ["https://u:p@host/o/r.git#feature/x", git("https://u:p@host/o/r.git", { ref: "feature/x" })],
    ["git@github.com:o/r.git#main", git("git@github.com:o/r.git", { ref: "main" })],
    ["host:o/r.git", git("host:o/r.git")],
    ["ssh://git@host:2222/o/r#main", git("ssh://git@host:2222/o/r", { ref: "main" })],
    ["file:///srv/r.git", git("file:///srv/r.git")],
    ["git+https://host/odd.tar.gz#main", git("https://host/odd.tar.gz", { ref: "main" })],
  ];
  for (const [text, source] of cases) {
    it(`reads ${text.replace(HASH, "…")}`, () => {
      assert.deepEqual(parseSource(text), source);
    });
  }

  const refused: [string, RegExp][] = [
    ["", /no usable path/],
    ["./x.zip", /only \.tar\.gz.*repack it: tar -czf/s],
    ["https://host/x.tar.xz", /only \.tar\.gz/],
    ["https://host/x.tgz#main", /an archive has no ref "main"/],
    ["https://host/x.tgz#sha256=abc", /64 hex digits/],
    ["../x#main", /a folder has no ref "main".*git\+file:\/\//s],
    ["https://github.com/o/r/tree/main/sub/dir", /write https:\/\/github\.com\/o\/r#main:sub\/dir/],
    ["https://gitlab.com/g/o/r/-/tree/v1", /write https:\/\/gitlab\.com\/g\/o\/r#v1$/],
    ["https://host/o/r#a..b", /git-check-ref-format/],
    ["https://host/o/r#--upload-pack=x", /git-check-ref-format/],
    ["https://host/o/r#main:../x", /must stay inside/],
    ["https://host/o/r#main:/etc", /must stay inside/],
    ["http://host/o/r#main", /isn't protected/],
    ["http://host/x.tgz", /isn't protected/],
    ["ftp://host/o/r", /can't start with ftp:/],
    ["--upload-pack=touch x", /no usable path/],
    ["git+https://u:p/w@host/o/r", /percent-encoded/],
  ];
  for (const [text, pattern] of refused) {
    it(`refuses "${text}"`, () => refuses(() => parseSource(text), pattern));
  }

  it("takes an open transport where nobody is on the way, or where the content is pinned", () => {
    const commit = "c".repeat(40);
    checkSource(git("http://127.0.0.1:3000/o/r"));
    checkSource(git("http://host/o/r", { ref: commit }));
    checkSource(tarball("http://localhost:1/x.tgz"));
    checkSource(tarball("http://host/x.tgz", { sha256: HASH }));
  });

  it("reads back every part of a git source it is given", () => {
    const word = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/);
    const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    const url = fc.oneof(
      path.map((each) => `https://host/${each}`),
      path.map((each) => `git@host:${each}`),
      path.map((each) => `ssh://git@host/${each}.git`),
    );
    const maybe = fc.option(path, { nil: undefined });
    fc.assert(
      fc.property(url, maybe, maybe, (where, ref, directory) => {
        const text = `${where}#${ref ?? ""}${directory === undefined ? "" : `:${directory}`}`;
        const want = git(where, { ...(ref ? { ref } : {}), ...(directory ? { directory } : {}) });
        assert.deepEqual(parseSource(text), want);
      }),
    );
  });
});
