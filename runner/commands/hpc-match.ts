import { countFlag } from '../command-line/flags.ts'
import { FORMAT } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { chooseProfile, surroundings } from '../hpc/choose.ts'
import { matchPartitions } from '../hpc/match.ts'
import { documentOf, PARTITIONS } from '../hpc/show.ts'
import { renderTable } from '../screen/table.ts'
import { memoryFlag, walltimeFlag } from '../slurm/flags.ts'
import { PLAN_OPTIONS } from '../slurm/plan-flags.ts'
import { formatOf } from './ask.ts'

const HOUR = 3600

export default defineVerb({
  about:
    'Tell which partitions give what a job or an allocation needs, the best one first. Exit code 1 when none does.',
  args: {
    cpus: { type: 'string', valueHint: 'N', description: 'CPUs of a node (default: 1)' },
    memory: { type: 'string', valueHint: 'SIZE', description: 'memory of a node, such as 16g (default: 1g)' },
    gpus: { type: 'string', valueHint: 'N', description: 'GPUs of a node (default: 0)' },
    nodes: { type: 'string', valueHint: 'N', description: 'how many nodes (default: 1)' },
    walltime: { type: 'string', valueHint: 'TIME', description: 'how long, such as 04:00:00 or 4h (default: 1h)' },
    profile: PLAN_OPTIONS.profile,
    ...FORMAT,
  },
  examples: ['hpc match --cpus 32 --memory 128g --walltime 8h', 'hpc match --gpus 2 --profile kestrel'],
  async run(args) {
    const format = formatOf(args.format)
    const demand = {
      cpus: countFlag('--cpus', args.cpus, 1) ?? 1,
      memoryBytes: memoryFlag('--memory', args.memory) ?? 2 ** 30,
      gpus: countFlag('--gpus', args.gpus, 0) ?? 0,
      nodes: countFlag('--nodes', args.nodes, 1) ?? 1,
      walltimeSeconds: walltimeFlag('--walltime', args.walltime) ?? HOUR,
    }
    const profile = await chooseProfile(args.profile, surroundings())
    const matches = matchPartitions(profile.partitions, demand)
    const fitting = matches.filter(({ reasons }) => reasons.length === 0).map(({ partition }) => partition)
    if (format === 'json') {
      printJsonList(
        matches.map(({ partition, reasons }) => ({ ...documentOf(partition), fits: reasons.length === 0, reasons })),
      )
    } else if (fitting.length > 0) print(renderTable(PARTITIONS, fitting, screenWidth()))
    else
      print(
        `No partition of ${profile.name} fits:\n${matches.map(({ partition, reasons }) => `  ${partition.name}: ${reasons.join(', ')}`).join('\n')}`,
      )
    return fitting.length > 0 ? 0 : 1
  },
})
