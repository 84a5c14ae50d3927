import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestCase } from 'vitest/node'

/**
 * Says at the end of a test run what was skipped on this machine and why, and which tests needed a second try; the runner's own summary
 * comes after it.
 */
export class SkipReporter {
  readonly #path: string
  readonly #secondTries: string[] = []

  constructor() {
    this.#path = join(mkdtempSync(join(tmpdir(), 'headrace-skips-')), 'reasons')
    process.env.HEADRACE_SKIPS = this.#path
  }

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky) this.#secondTries.push(`${test.module.relativeModuleId}: ${test.fullName}`)
  }

  onTestRunEnd(): void {
    if (this.#secondTries.length > 0)
      console.log(`\nPassed at the second try:\n${this.#secondTries.map(name => `  ${name}`).join('\n')}`)
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
