import type { AppRequest } from '../context.ts'
import { scopesFor } from '../core/token-scopes.ts'
import { AppError } from '../errors.ts'
import type { Grant } from './grant.ts'

/** The path of an operation below whichever base it is asked for. */
const BASE = /^\/(torc-service\/)?v1(?=\/)/

/** Ends an operation with 403 when the token that was shown lacks its scope. */
export function holdToken({ req }: AppRequest, { scopes }: Grant): void {
  const wanted = scopesFor(req.method, req.path.replace(BASE, ''))
  if (scopes.some(scope => wanted.includes(scope))) return
  throw new AppError(
    'forbidden',
    `Cannot do this with your token as it needs the scope ${wanted.join(' or ')}: it has ${scopes.join(', ')}`,
  )
}
