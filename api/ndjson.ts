import { AppError } from './errors.ts'

/** Longest line: as large as the largest body of one request, since data of that size may have been stored. */
const MOST_CHARACTERS = 200 * 2 ** 20

/**
 * Gives the lines of a body as they arrive, without those that are blank, so that a document of any length is never held whole. 400 on
 * bytes that are no UTF-8, 413 on a line that is too long.
 */
export async function* readLines(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const reader = body?.getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let pieces: string[] = []
  let held = 0
  try {
    for (let done = reader === undefined; !done; ) {
      const read = await nextOf(reader!)
      done = read.done
      const lines = decode(decoder, read.value, done).split('\n')
      for (const line of lines.slice(0, -1)) {
        const whole = pieces.join('') + line
        pieces = []
        held = 0
        if (whole.trim() !== '') yield whole
      }
      const rest = lines.at(-1)!
      pieces.push(rest)
      held += rest.length
      if (held > MOST_CHARACTERS) throw new AppError('too_large', 'Cannot read the document as a line is too long')
    }
    const last = pieces.join('')
    if (last.trim() !== '') yield last
  } finally {
    // Nothing more is wanted of a sender whose document is wrong; one that broke off cannot be told.
    await reader?.cancel().catch(() => undefined)
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>

async function nextOf(reader: Reader): Promise<Awaited<ReturnType<Reader['read']>>> {
  try {
    return await reader.read()
  } catch {
    throw new AppError('bad_request', 'Cannot read the document as its sender broke off')
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array | undefined, done: boolean): string {
  try {
    return decoder.decode(bytes, { stream: !done })
  } catch {
    throw new AppError('bad_request', 'Cannot read the document as it is no UTF-8')
  }
}

/** Characters gathered before they are sent: small writes cost more than what they carry. */
const CHUNK_CHARACTERS = 64 * 1024

/** Joins values to chunks of lines. */
export async function* toChunks(values: AsyncIterable<object>): AsyncGenerator<string> {
  let lines: string[] = []
  let length = 0
  for await (const value of values) {
    const line = `${JSON.stringify(value)}\n`
    lines.push(line)
    length += line.length
    if (length < CHUNK_CHARACTERS) continue
    yield lines.join('')
    lines = []
    length = 0
  }
  if (lines.length > 0) yield lines.join('')
}
