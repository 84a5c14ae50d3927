import { expect, it } from 'vitest'
import { listsExitCode, mayLoseAgain } from '../../api/core/losses.ts'

it('mayLoseAgain() is true until the losses have reached the budget', () => {
  const answers = [0, 1, 2, 3].map(losses => mayLoseAgain({ losses, lossBudget: 2 }))
  expect(answers).toEqual([true, true, false, false])
  expect(mayLoseAgain({ losses: 0, lossBudget: 0 })).toBe(false)
})

it.each([
  ['[{"exit_codes":[1]},{"exit_codes":[2,152]}]', true],
  ['[{"exit_codes":[15]}]', false],
  ['[{"match_all_exit_codes":true}]', false],
  ['[null,3,{"exit_codes":152}]', false],
  ['{"exit_codes":[152]}', false],
  ['[]', false],
  ['no json', false],
])('listsExitCode() of %s is %s', (rules, expected) => {
  expect(listsExitCode(rules, 152)).toBe(expected)
})
