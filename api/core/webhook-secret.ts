/** Before a secret's Base64, as Standard Webhooks writes it. */
export const SECRET_PREFIX = 'whsec_'
/** What a secret has at least, and at most (Standard Webhooks, Signature scheme). */
export const SECRET_BYTES = 24
const MOST_SECRET_BYTES = 64

/** Whether a text is a secret that receivers can use. */
export function isWebhookSecret(text: string): boolean {
  const base64 = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(text)?.[1]
  if (base64 === undefined) return false
  const bytes = (base64.length / 4) * 3 - /=*$/.exec(base64)![0].length
  return bytes >= SECRET_BYTES && bytes <= MOST_SECRET_BYTES
}
