/** How clients reach the resident part. Both kinds pass lines; the tests run over both. */

/** One client, as long as it is there; a number is never used twice. */
export type Caller = { connection: number; pid: number }

export type Door = {
  readonly kind: 'native' | 'shell'
  /** A former resident part of this place did not leave in order: launches of it may still be there. */
  readonly isInherited: boolean
  /** Sends a line to a client; nothing happens when it is gone. */
  send(connection: number, line: string): void
  /** Sends a client away; its end is not told any more. */
  drop(connection: number): void
  /** `clean`: nothing of ours is there any more, and the next one need not look for it. */
  close(options: { clean: boolean }): Promise<void>
}

export type DoorEvents = {
  /** What could be read at once comes in one call. A client that goes away without `end` says `gone GROUP`. */
  onLines(lines: readonly { caller: Caller; line: string }[]): void
  /** The door itself is gone, and cannot be opened again. */
  onLost(reason: string): void
}
