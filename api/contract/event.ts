import * as v from 'valibot'
import { integer, json } from './fields.ts'

/** The body carries a timestamp as the contract says, but the server sets its own. */
export const NewEvent = v.object({ workflow_id: integer, timestamp: integer, data: json })

/** PUT replaces the data by the whole body, whatever JSON it is. */
export const EventData = json
