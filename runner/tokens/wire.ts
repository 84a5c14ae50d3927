/** A token as the server shows it; `token` is its text, which only the reply that made it has. */
export type TokenReply = {
  id: number
  name: string
  scopes: string[]
  status: string
  user?: string
  workflow_id?: number
  project?: string
  expires_at?: string
  token?: string
}
