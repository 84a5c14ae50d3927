/** Thrown for a value that a format has no form for; names its key path. */
export class Unwritable extends Error {}
