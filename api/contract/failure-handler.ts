import * as v from 'valibot'
import { integer, isJsonObject, text } from './fields.ts'

/** The text of a JSON array of objects; it is stored as it came, since clients parse it themselves. */
const rules = v.pipe(
  text,
  v.check(given => {
    try {
      const parsed: unknown = JSON.parse(given)
      return Array.isArray(parsed) && parsed.every(isJsonObject)
    } catch {
      return false
    }
  }, 'must be the text of a JSON array of objects'),
)

export const NewFailureHandler = v.object({ workflow_id: integer, name: text, rules })
