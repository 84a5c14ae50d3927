/** Makes a helper program of a function: input is its argument, output its standard output, both JSON; an error is one line and code 1. */
export async function answer<Input, Output>(work: (input: Input) => Output | Promise<Output>): Promise<void> {
  try {
    process.stdout.write(JSON.stringify(await work(JSON.parse(process.argv[2] ?? '') as Input)))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
