import { changePlanVerb } from '../allocate/change-plan.ts'

export default changePlanVerb({
  word: 'resume',
  about: 'Ask again by a plan that was paused, by you or after failures; those count no more.',
  state: 'active',
  after: 'what ready jobs need is asked for again',
})
