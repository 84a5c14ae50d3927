import { FORMAT } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { knownProfiles } from '../hpc/choose.ts'
import { PROFILES, profileDocument } from '../hpc/show.ts'
import { renderTable } from '../screen/table.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about: 'List the clusters that are known: those that come with the package and those of your own.',
  args: { ...FORMAT },
  examples: ['hpc list'],
  async run(args) {
    const format = formatOf(args.format)
    const profiles = knownProfiles(process.env)
    if (format === 'json') printJsonList(profiles.map(profileDocument))
    else print(renderTable(PROFILES, profiles, screenWidth()))
    return 0
  },
})
