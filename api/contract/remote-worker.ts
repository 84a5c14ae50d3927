import * as v from 'valibot'
import { text } from './fields.ts'

export const NewRemoteWorkers = v.array(text)
