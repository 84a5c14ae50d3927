import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Says at the end of a test run what was skipped on this machine and why; the runner's own summary comes after it. */
export class SkipReporter {
  readonly #path: string

  constructor() {
    this.#path = join(mkdtempSync(join(tmpdir(), 'headrace-skips-')), 'reasons')
    process.env.HEADRACE_SKIPS = this.#path
  }

  onTestRunEnd(): void {
    const counts = new Map<string, number>()
    for (const reason of this.#reasons()) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const lines = [...counts].map(([reason, n]) => `  ${reason} (${n})`)
    console.log(
      lines.length === 0 ? '\nNothing was skipped on this machine.' : `\nSkipped on this machine:\n${lines.join('\n')}`,
    )
  }

  #reasons(): string[] {
    try {
      return readFileSync(this.#path, 'utf8')
        .split('\n')
        .filter(line => line !== '')
    } catch {
      return []
    }
  }
}
