/**
 * A value that can't be what it was meant to be: an unknown unit, a cron field out of range, a name with wrong letters.
 * The message is one plain sentence for the person who wrote the value; whoever catches it adds where it was written.
 */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
}
