import type { AppRequest } from '../context.ts'
import { networkOf } from './network.ts'

/** Who somebody is for limits: his token, else his name, else where he comes from. */
export function callerKey(c: AppRequest, address: string | undefined): string {
  const { grant, user, subject } = c.var
  if (grant !== undefined) return `token ${grant.tokenId}`
  if (subject?.name != null) return `user ${subject.name}`
  return address === undefined ? `name ${user}` : `address ${networkOf(address)}`
}
