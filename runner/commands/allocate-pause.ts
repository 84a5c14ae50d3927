import { changePlanVerb } from '../allocate/change-plan.ts'

export default changePlanVerb({
  word: 'pause',
  about: 'Ask for nothing more by a plan of a workflow for a while; what waits and runs goes on.',
  state: 'paused',
  after: 'nothing more is asked for until it is resumed',
})
