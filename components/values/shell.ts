/** Text as one word of a POSIX shell, in single quotes whatever is in it (POSIX.1-2017, XCU 2.2.2). */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The same, bare where nothing in it means anything to a shell: for lines that people read. */
export const shellQuote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quote(text));
