import type { Case } from '../types.ts'
import { create } from './create.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { noop } from './noop.ts'
import { pipeline } from './pipeline.ts'
import { scale } from './scale.ts'
import { throughput } from './throughput.ts'

/** In the order they run: the longest last. */
export const CASES: readonly Case[] = [pipeline, noop, latency, create, throughput, scale, memory]
