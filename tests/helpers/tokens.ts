import type { NewToken } from '../../api/contract/token.ts'
import { operator } from './access.ts'
import type { TestApp } from './app.ts'

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

type Wanted = Partial<NewToken> & Pick<NewToken, 'scopes'>

/** Makes a token as the operator does. */
export async function seedToken(t: TestApp, wanted: Wanted): Promise<{ id: number; token: string }> {
  const { status, body } = await t.post('/tokens', { name: 'test', ...wanted }, operator)
  if (status !== 200) throw new Error(`Cannot seed: ${status} ${JSON.stringify(body)}`)
  return body
}
