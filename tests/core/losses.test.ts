import { expect, it } from 'vitest'
import { mayLoseAgain } from '../../api/core/losses.ts'

it('mayLoseAgain() is true until the losses have reached the budget', () => {
  const answers = [0, 1, 2, 3].map(losses => mayLoseAgain({ losses, lossBudget: 2 }))
  expect(answers).toEqual([true, true, false, false])
  expect(mayLoseAgain({ losses: 0, lossBudget: 0 })).toBe(false)
})
