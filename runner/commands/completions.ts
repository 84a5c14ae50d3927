import { print } from '../command-line/output.ts'
import { defineVerb, entryFor, type Group } from '../command-line/verb.ts'
import { answer } from '../completion/answer.ts'
import { SCRIPTS, type Shell } from '../completion/scripts.ts'

const SETUP: Record<Shell, string> = {
  bash: 'eval "$(runner completions bash)" in ~/.bashrc',
  zsh: 'eval "$(runner completions zsh)" in ~/.zshrc, after compinit',
  fish: 'runner completions fish > ~/.config/fish/completions/runner.fish',
}

const scriptVerb = (shell: Shell) =>
  defineVerb({
    about: `Print what ${shell} needs to complete commands, options, workflows and jobs. To set it up: ${SETUP[shell]}`,
    args: {},
    examples: [`completions ${shell}`],
    async run() {
      print(SCRIPTS[shell])
      return 0
    },
  })

const words = defineVerb({
  about:
    'Print what may come next on a command line, for the scripts of the shells. The last word is the one that is begun.',
  args: {
    words: { type: 'positional', required: false, valueHint: '-- WORD…', description: 'the words after `runner`' },
  },
  examples: ['completions words -- status ""', 'completions words -- jobs li'],
  repeatsLast: true,
  async run(args) {
    const lines = await answer(args._, process.env)
    if (lines.length > 0) print(lines.join('\n'))
    return 0
  },
})

const group: Group = {
  about: 'Completion for shells.',
  verbs: {
    bash: entryFor(scriptVerb('bash')),
    zsh: entryFor(scriptVerb('zsh')),
    fish: entryFor(scriptVerb('fish')),
    words: entryFor(words),
  },
}
export default group
