import { changePlanVerb } from '../allocate/change-plan.ts'

export default changePlanVerb({
  word: 'stop',
  about:
    'Ask for nothing more by a plan of a workflow, and cancel what waits in the queue, at the next look of whoever sees to it; runners at work end when they have nothing to do.',
  state: 'stopped',
  after: 'what waits in the queue is cancelled at the next look',
})
