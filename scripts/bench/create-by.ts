import { runHelper } from './helper.ts'
import type { Created, Creation } from './programs/create-workflow.ts'
import type { Address } from './server.ts'
import type { Setting } from './types.ts'

/** Makes and initialises a workflow at a server by one request of another process. */
export const createBy = (
  setting: Setting,
  { url, token }: Address,
  route: Creation['route'],
  text: string,
): Promise<Created> =>
  runHelper<Creation, Created>(setting, 'create-workflow', { address: { url, token }, route, text })
