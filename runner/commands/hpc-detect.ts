import { FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { detect, surroundings } from '../hpc/choose.ts'
import { profileDocument } from '../hpc/show.ts'
import { counted } from '../screen/format.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about: 'Tell which cluster this machine belongs to. Exit code 1 when it belongs to none that is known.',
  args: { ...FORMAT },
  examples: ['hpc detect'],
  async run(args) {
    const format = formatOf(args.format)
    const found = await detect(surroundings())
    if (!('profile' in found)) {
      if (format === 'json') printJson({ detected: false, message: found.message })
      else print(`No cluster that is known: ${found.message}`)
      return 1
    }
    const { profile, sign } = found
    if (format === 'json') printJson({ detected: true, sign, ...profileDocument(profile) })
    else
      print(`${profile.name} (${profile.displayName}), by ${sign}: ${counted(profile.partitions.length, 'partition')}`)
    return 0
  },
})
