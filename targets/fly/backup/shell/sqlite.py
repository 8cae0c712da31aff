# Saves or restores a SQLite database from within the machine that has it. In the environment: COURIER_HOST, COURIER_PORT and
# COURIER_NONCE, where the copy goes to or comes from, DATABASE_FILE, and DATABASE_ACT, `dump` or `restore`.
import gzip, hashlib, os, shutil, socket, sqlite3, sys, tempfile, time

path = os.environ["DATABASE_FILE"]


def meet(line):
    connection = socket.create_connection((os.environ["COURIER_HOST"], int(os.environ["COURIER_PORT"])), 60)
    connection.settimeout(None)
    connection.sendall(f"{os.environ['COURIER_NONCE']} {line}\n".encode())
    return connection


def say(text):
    print(text, flush=True)
    meet(f"say {text}").close()


def die(text):
    say(text)
    sys.exit(1)


def check(file):
    try:
        answer = sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        answer = error
    if answer != "ok":
        die(f"the copy isn't intact: {answer}; nothing was changed")


def sum_of(file):
    digest = hashlib.sha256()
    with open(file, "rb") as content:
        while part := content.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def dump(desk):
    copy, packed = f"{desk}/copy", f"{desk}/copy.gz"
    if not os.path.exists(path):
        die(f"there is no file {path}; has the app started once, and is the path right?")
    # A copy of the file in use could hold half of a change.
    sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=600).backup(sqlite3.connect(copy))
    check(copy)
    with open(copy, "rb") as content, gzip.open(packed, "wb") as into:
        shutil.copyfileobj(content, into)
    say(f"copied {os.path.getsize(copy)} bytes while in use; integrity_check: ok")
    for attempt in range(1, 6):
        connection = meet(f"put {os.path.getsize(packed)} {sum_of(packed)}")
        with open(packed, "rb") as content:
            connection.sendfile(content)
        answer = connection.makefile().readline().strip()
        if answer == "kept":
            return
        say(f"not kept yet (attempt {attempt}): {answer.removeprefix('refused ') or 'no answer'}")
        time.sleep(attempt * 3)
    sys.exit(1)


def restore(desk):
    copy, packed = f"{desk}/copy", f"{desk}/copy.gz"
    answer = meet("get").makefile("rb")
    size, known = answer.readline().decode().split()
    with open(packed, "wb") as into:
        shutil.copyfileobj(answer, into)
    if os.path.getsize(packed) != int(size) or known not in ("-", sum_of(packed)):
        die("the copy isn't what was uploaded; nothing was changed")
    with open(packed, "rb") as begin:
        plain = begin.read(2) != b"\x1f\x8b"
    with (open if plain else gzip.open)(packed, "rb") as content, open(copy, "wb") as into:
        shutil.copyfileobj(content, into)
    check(copy)
    aside = f"{path}.before-restore-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    if os.path.exists(path):
        owner = os.stat(path)
        os.chown(copy, owner.st_uid, owner.st_gid)
        os.chmod(copy, owner.st_mode)
        # What is still in the log belongs to the data of before.
        for end in ("-wal", "-shm", ""):
            if os.path.exists(path + end):
                os.rename(path + end, aside + end)
    os.rename(copy, path)
    say(f"restored; the data of before is at {aside}")


desk = tempfile.mkdtemp(prefix=".homeport-", dir=os.path.dirname(path))
try:
    {"dump": dump, "restore": restore}[os.environ["DATABASE_ACT"]](desk)
finally:
    shutil.rmtree(desk, ignore_errors=True)
