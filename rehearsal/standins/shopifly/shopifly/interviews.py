"""Interviews: transcripts as JSON files, their insights in the store."""

import json
import shutil
from pathlib import Path

from shopifly.settings import interviews_dir
from shopifly.store import category_of, connect


class UserError(Exception):
    """A mistake of the caller, told in one line; `code` is the exit status."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def _save(name: str, participant: str, segments: list[str]) -> Path:
    path = interviews_dir("transcripts") / f"{name}.json"
    path.write_text(json.dumps({"participant": participant, "segments": segments}, indent=1))
    return path


def import_vtt(source: Path, participant: str) -> Path:
    """WebVTT (https://www.w3.org/TR/webvtt1/) without cue settings: the lines after each timing line are the text."""
    if not source.is_file():
        raise UserError(f"{source}: no such file")
    lines = source.read_text().splitlines()
    if not lines or not lines[0].lstrip("\ufeff").startswith("WEBVTT"):
        raise UserError(f"{source}: not a WebVTT file (its first line must be WEBVTT)")
    segments, in_cue = [], False
    for line in lines[1:]:
        if "-->" in line:
            in_cue = True
        elif not line.strip():
            in_cue = False
        elif in_cue:
            segments.append(line.strip())
    return _save(source.stem, participant, segments)


def process_recording(source: Path, participant: str, model: str) -> Path:
    try:
        import whisper
    except ImportError:
        raise UserError("Whisper is not installed; install it with: pip install openai-whisper", 3) from None
    if not source.is_file():
        raise UserError(f"{source}: no such file")
    kept = Path(shutil.copy(source, interviews_dir("recordings")))
    result = whisper.load_model(model).transcribe(str(kept))
    return _save(source.stem, participant, [segment["text"].strip() for segment in result["segments"]])


def classify_transcript(path: Path, participant: str) -> int:
    if not path.is_file():
        raise UserError(f"{path}: no such transcript")
    quotes = json.loads(path.read_text())["segments"]
    rows = [(path.stem, participant, category_of(quote), quote) for quote in quotes]
    with connect() as db:
        db.executemany("INSERT OR REPLACE INTO insights VALUES (?, ?, ?, ?)", rows)
    keys = ("transcript", "participant", "category", "quote")
    insights = [dict(zip(keys, row)) for row in rows]
    (interviews_dir("insights") / f"{path.stem}.json").write_text(json.dumps(insights, indent=1))
    return len(rows)


def report() -> dict:
    with connect() as db:
        counts = db.execute("SELECT count(DISTINCT participant), count(*) FROM insights").fetchone()
        found = db.execute("SELECT category, count(*) FROM insights GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
    transcripts = len(list(interviews_dir("transcripts").glob("*.json")))
    return {"transcripts": transcripts, "participants": counts[0], "insights": counts[1], "opportunities": dict(found)}
