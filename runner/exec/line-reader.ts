/** Cuts a stream of bytes into lines; one that is not whole waits for the next chunk. */
export class LineReader {
  #rest = ''
  readonly #decoder = new TextDecoder()

  read(chunk: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines
  }
}
