"""shopifly's command line: scrape, classify, stats, interview."""

import argparse
import os
import sys
from pathlib import Path

import faults
from shopifly import interviews, store
from shopifly.settings import logger


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="main.py")
    commands = root.add_subparsers(dest="command", required=True)

    def add(to, name, default_limit=None):
        command = to.add_parser(name)
        command.add_argument("--storage", choices=["sqlite"], default="sqlite")
        if default_limit:
            command.add_argument("--limit", type=int, default=default_limit)
        return command

    add(commands, "scrape", 100).add_argument("--source", choices=store.SOURCES)
    add(commands, "classify", 100)
    add(commands, "stats")

    interview = commands.add_parser("interview").add_subparsers(dest="action", required=True)
    for name in ("import-vtt", "classify-transcript", "process-recording"):
        action = interview.add_parser(name)
        action.add_argument("file", type=Path)
        action.add_argument("-p", "--participant", required=True)
        if name == "process-recording":
            action.add_argument("--model", default="medium", choices=["tiny", "base", "medium", "large"])
    interview.add_parser("stats")
    interview.add_parser("opportunities")
    return root


def scrape(args) -> None:
    log = logger("scraper")
    log.info("Scrape started")
    for source in [args.source] if args.source else store.SOURCES:
        log.info("%s: %d new posts", source, store.scrape(source, args.limit))
    log.info("Scrape completed")


def classify(args) -> None:
    need_key()
    log = logger("classifier")
    log.info("Classification started")
    model = os.environ.get("ANTHROPIC_MODEL", "claude-sonnet-4-20250514")
    log.info("Classification completed: %d posts with %s", store.classify(args.limit, model), model)


def need_key() -> None:
    if not os.environ.get("ANTHROPIC_API_KEY"):
        raise interviews.UserError("ANTHROPIC_API_KEY is not set; classification needs it")


def interview(args) -> None:
    if args.action == "import-vtt":
        print(f"Imported {interviews.import_vtt(args.file, args.participant)}")
    elif args.action == "process-recording":
        print(f"Transcribed {interviews.process_recording(args.file, args.participant, args.model)}")
    elif args.action == "classify-transcript":
        need_key()
        print(f"Insights: {interviews.classify_transcript(args.file, args.participant)}")
    else:
        report = interviews.report()
        show(report["opportunities"] if args.action == "opportunities" else report)


def show(values: dict) -> None:
    for key, value in values.items():
        print(f"{key}: {value}")


def main() -> None:
    args = parser().parse_args()
    if faults.read("FAULT") == "release" and args.command == "stats":
        sys.exit("FAULT release: the database can't be initialised")
    try:
        if args.command == "stats":
            show(store.stats())
        else:
            {"scrape": scrape, "classify": classify, "interview": interview}[args.command](args)
    except interviews.UserError as error:
        print(f"main.py: {error}", file=sys.stderr)
        sys.exit(error.code)


if __name__ == "__main__":
    main()
