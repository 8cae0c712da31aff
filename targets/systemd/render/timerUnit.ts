import { description, unitText, type Setting } from "./unitText";

/** A timer on the calendar: to the second, and caught up with after the host was off (systemd.timer(5)). */
export const calendarTimer = (about: string, onCalendar: readonly string[]): string =>
  timer(about, [
    ...onCalendar.map((line): Setting => ["OnCalendar", line]),
    ["Persistent", "true"],
    ["RandomizedDelaySec", "0"],
  ]);

/** A timer that elapses `seconds` after it starts and after each run's start. */
export const intervalTimer = (about: string, seconds: number): string =>
  timer(about, [
    ["OnActiveSec", String(seconds)],
    ["OnUnitActiveSec", String(seconds)],
  ]);

const timer = (about: string, settings: readonly Setting[]): string =>
  unitText(about, [
    ["Unit", [description(about)]],
    ["Timer", [...settings, ["AccuracySec", "1s"]]],
    ["Install", [["WantedBy", "timers.target"]]],
  ]);
