import type { Case } from '../types.ts'
import { auth } from './auth.ts'
import { controlPlanes } from './control-planes.ts'
import { create } from './create.ts'
import { exec } from './exec.ts'
import { execSuite } from './exec-suite.ts'
import { exportCase } from './export.ts'
import { gpuPipeline } from './gpu-pipeline.ts'
import { guards } from './guards.ts'
import { jobThreads } from './job-threads.ts'
import { latency } from './latency.ts'
import { lists } from './lists.ts'
import { memory } from './memory.ts'
import { noop } from './noop.ts'
import { pipeline } from './pipeline.ts'
import { scale } from './scale.ts'
import { streams } from './streams.ts'
import { throughput } from './throughput.ts'
import { wakeUps } from './wake-ups.ts'

/** In the order they run: the longest last. */
export const CASES: readonly Case[] = [
  pipeline,
  gpuPipeline,
  noop,
  latency,
  wakeUps,
  exec,
  execSuite,
  create,
  throughput,
  controlPlanes,
  guards,
  jobThreads,
  exportCase,
  streams,
  scale,
  lists,
  memory,
  auth,
]
