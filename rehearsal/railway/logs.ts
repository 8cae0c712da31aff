/** One line of a build or a container. */
export interface LogLine {
  readonly deploymentId: string;
  readonly environmentId: string;
  readonly serviceId: string;
  readonly kind: "build" | "deploy";
  readonly timestamp: string;
  readonly severity: "info" | "error";
  readonly message: string;
}

/** What a log is asked for. */
export interface LogQuery {
  /** Words that a line is to hold. */
  readonly filter?: string | null;
  /** The newest so many. Default: 500. */
  readonly limit?: number | null;
  readonly startDate?: string | null;
  readonly endDate?: string | null;
}

/** The last lines of all deployments. */
export class LogBook {
  private lines: LogLine[] = [];

  add(
    of: { readonly id: string; readonly environmentId: string; readonly serviceId: string },
    kind: LogLine["kind"],
    message: string,
    severity: LogLine["severity"] = "info",
  ): void {
    const { id: deploymentId, environmentId, serviceId } = of;
    const timestamp = new Date().toISOString();
    this.lines.push({ deploymentId, environmentId, serviceId, kind, timestamp, severity, message });
    if (this.lines.length > 20_000) this.lines = this.lines.slice(-10_000);
  }

  /** The lines that fit, oldest first. */
  find(wanted: (line: LogLine) => boolean, query: LogQuery): LogLine[] {
    const { filter, limit, startDate, endDate } = query;
    // Railway's filters are words and `@attribute:value`; the rehearsal knows words and the severity.
    const words = (filter ?? "").split(/\s+/).filter((word) => word !== "");
    const fits = (line: LogLine): boolean =>
      words.every((word) =>
        word.startsWith("@level:") ? line.severity === word.slice(7) : line.message.includes(word.replaceAll('"', "")),
      );
    return this.lines
      .filter((line) => wanted(line) && fits(line))
      .filter(
        (line) => (startDate == null || line.timestamp >= startDate) && (endDate == null || line.timestamp <= endDate),
      )
      .slice(-(limit ?? 500));
  }
}
