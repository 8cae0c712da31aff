import { createReadStream } from "node:fs";
import { addAbortSignal, Readable, Transform } from "node:stream";
import { exitCodes } from "./operations";

/** A file on its way into a service's volume. */
export interface IncomingFile {
  /** Of this machine. */
  readonly path: string;
  readonly bytes: number;
  /** Absolute, as the service sees it. Its folder is made where it lacks. */
  readonly to: string;
  /** How large it is to be there: more than `bytes` where it is unpacked. */
  readonly wholeBytes: number;
  /** Whether it is unpacked by gzip(1) there. */
  readonly unpack: boolean;
  /** What becomes of a file of that name. `ask` stores nothing and tells whether there is one. */
  readonly existing: "stays" | "gives way" | "ask";
  /** Names the part of it that is there until it is whole; letters and digits, another one each time. */
  readonly mark: string;
  /** Told of each part that was sent. */
  readonly onSent: (bytes: number) => void;
  /** Ends the transfer. */
  readonly signal: AbortSignal;
}

/**
 * What stores a file, run by a POSIX shell in the service's place with the file as its input. It has its name only when it
 * is whole; what lacks something of it leaves nothing. Ends with `exitCodes.exists` where a file of that name stays.
 * Arguments: as `putCommand` gives them.
 */
export const putScript = `set -u
target=$1 whole=$2 unpack=$3 existing=$4 mark=$5
folder=\${target%/*}
part=$folder/.homeport-part-$mark
say() { printf '%s\\n' "$target: $*" >&2; }
there() { [ -e "$target" ] || [ -L "$target" ]; }
if [ -d "$target" ]; then say "it is a folder there"; exit 1; fi
if [ "$existing" != 'gives way' ] && there; then exit ${exitCodes.exists}; fi
[ "$existing" != ask ] || exit 0
mkdir -p -- "$folder" || exit 1
free=$(df -Pk -- "$folder" 2>/dev/null | while read -r _ _ _ free _; do echo "$free"; done | tail -n 1)
case $free in
'' | *[!0-9]*) ;;
*) if [ $((whole / 1024 + 65536)) -gt "$free" ]; then
  say "it needs $((whole / 1048576 + 1)) MiB and 64 to spare, and the disk has $((free / 1024)) MiB left"; exit 1
fi ;;
esac
trap 'rm -f -- "$part"' EXIT
trap 'exit 130' HUP INT TERM
set -C
: >"$part" || exit 1
set +C
if [ "$unpack" = yes ]; then gzip -dc >"$part"; else cat >"$part"; fi || { say "it didn't arrive whole; nothing was stored"; exit 1; }
size=$(wc -c <"$part")
if [ "$size" -ne "$whole" ]; then say "$size of $whole bytes arrived; nothing was stored"; exit 1; fi
if [ "$existing" = 'gives way' ]; then mv -f -- "$part" "$target"; exit; fi
ln -- "$part" "$target" 2>/dev/null && exit
if there; then exit ${exitCodes.exists}; fi
mv -- "$part" "$target"
`;

/** The command line that takes the file as its input. */
export const putCommand = ({ to, wholeBytes, unpack, existing, mark }: IncomingFile): readonly string[] => [
  ...["sh", "-c", putScript, "sh"],
  ...[to, String(wholeBytes), unpack ? "yes" : "no", existing, mark],
];

/** The file's bytes, each part told of as it goes. */
export function bytesOf({ path, onSent, signal, existing }: IncomingFile): Readable {
  if (existing === "ask") return Readable.from([]);
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onSent(chunk.length);
      done(null, chunk);
    },
  });
  addAbortSignal(signal, counted);
  return createReadStream(path)
    .once("error", (error) => counted.destroy(error))
    .pipe(counted);
}
