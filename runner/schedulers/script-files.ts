import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../make-directory.ts'
import type { AllocationRequest, ScriptFile, SubmitOutcome } from './types.ts'

/**
 * Writes the files of a submission, each whole or not at all (temporary file, rename), for their owner to run. Returns the path of the
 * first. Throws what the file system says.
 */
export function writeScripts(directory: string, files: readonly [ScriptFile, ...ScriptFile[]]): string {
  makeDirectory(directory)
  for (const { name, text } of files) {
    const path = join(directory, name)
    const temporary = `${path}.${process.pid}.tmp`
    writeFileSync(temporary, text, { mode: 0o700 })
    // A mask may have taken the right to run it away.
    chmodSync(temporary, 0o700)
    renameSync(temporary, path)
  }
  return join(directory, files[0].name)
}

/** Writes the files of a request and hands the first to `submit`. What cannot be written is refused: nobody has seen it. */
export async function submitFiles(
  { directory }: Pick<AllocationRequest, 'directory'>,
  files: readonly [ScriptFile, ...ScriptFile[]],
  submit: (path: string, cwd: string) => Promise<SubmitOutcome>,
): Promise<SubmitOutcome> {
  let path: string
  try {
    path = writeScripts(directory, files)
  } catch (error) {
    return { kind: 'refused', message: error instanceof Error ? error.message : String(error) }
  }
  return submit(path, directory)
}
