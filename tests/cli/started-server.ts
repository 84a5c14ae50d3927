import type { Program } from './program.ts'

export type StartedServer = {
  url: string
  /** All that it has said on standard error so far. */
  said(): string
  /** Ends it as a service manager would; gives its exit code. */
  stop(): Promise<number | null>
}

/** Starts `runner server` with these options and waits until it says where it listens. Throws with its words when it ends instead. */
export async function startServerOf(
  program: Program,
  words: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<StartedServer> {
  const child = program.start(['server', ...words], env)
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr!.on('data', chunk => {
      said += chunk
      const found = /Serving .* at (https?:\/\/[^\s,"]+)/.exec(said)
      if (found) resolve(found[1]!)
    })
    child.on('exit', code => reject(new Error(`The server ended with ${code}: ${said}`)))
  })
  return {
    url,
    said: () => said,
    stop: () =>
      new Promise(resolve => {
        child.on('exit', code => resolve(code))
        child.kill('SIGTERM')
      }),
  }
}
