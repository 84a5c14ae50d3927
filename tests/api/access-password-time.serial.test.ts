import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bcrypt from 'bcryptjs'
import { expect, it } from 'vitest'
import { openPasswordFile } from '../../api/node/password-file.ts'

const ROUNDS = 9

it('openPasswordFile() takes as long for an unknown user as for a known one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-passwords-'))
  const path = join(folder, 'users.htpasswd')
  writeFileSync(path, `ada:${bcrypt.hashSync('secret', 9)}\n`)
  const file = openPasswordFile({ path, rememberSeconds: 60, log: () => {}, now: () => 1_000 })
  try {
    const timeOf = async (user: string, password: string) => {
      const start = performance.now()
      await file.check(user, password)
      return performance.now() - start
    }
    await timeOf('ada', 'first')
    const known: number[] = []
    const other: number[] = []
    for (let k = 0; k < ROUNDS; k++) {
      known.push(await timeOf('ada', `wrong-${k}`))
      other.push(await timeOf(`user-${k}`, `wrong-${k}`))
    }
    // The quickest of each is what the machine's other work has spared.
    const ratio = Math.min(...other) / Math.min(...known)
    expect(ratio).toBeGreaterThan(1 / 2)
    expect(ratio).toBeLessThan(2)
  } finally {
    await file.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
