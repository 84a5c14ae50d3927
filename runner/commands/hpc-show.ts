import { FORMAT } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { chooseProfile, surroundings } from '../hpc/choose.ts'
import { PARTITIONS, profileDocument } from '../hpc/show.ts'
import { renderTable } from '../screen/table.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about: "Show a cluster's partitions. Without a name: the cluster of this machine; live: what its Slurm says now.",
  args: {
    name: { type: 'positional', required: false, valueHint: 'NAME', description: 'cluster, or live' },
    ...FORMAT,
  },
  examples: ['hpc show kestrel', 'hpc show live --format json'],
  async run(args) {
    const format = formatOf(args.format)
    const profile = await chooseProfile(args.name, surroundings())
    if (format === 'json') {
      printJson(profileDocument(profile))
      return 0
    }
    const { displayName, description, documentation } = profile
    print(
      [`${displayName}${description === undefined ? '' : `: ${description}`}`, documentation]
        .filter(Boolean)
        .join('\n'),
    )
    print(renderTable(PARTITIONS, profile.partitions, screenWidth()))
    return 0
  },
})
