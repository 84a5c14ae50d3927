import { describe, expect, test } from 'vitest'
import { detectGpus } from '../../runner/capacity/gpus.ts'
import { recordedSystem } from './recorded-system.ts'

const DEVICES = { '/dev/nvidia10': '', '/dev/nvidia2': '', '/dev/nvidiactl': '', '/dev/null': '' }

describe('detectGpus()', () => {
  test('takes the indices and names of CUDA_VISIBLE_DEVICES', () => {
    const system = recordedSystem(DEVICES, { env: { CUDA_VISIBLE_DEVICES: '3, GPU-5d6e,3' } })
    expect(detectGpus(system)).toEqual({ ids: ['3', 'GPU-5d6e'], source: 'CUDA_VISIBLE_DEVICES' })
  })

  test.each(['', '-1', 'NoDevFiles'])('offers none when CUDA_VISIBLE_DEVICES is "%s"', value => {
    expect(detectGpus(recordedSystem(DEVICES, { env: { CUDA_VISIBLE_DEVICES: value } })).ids).toEqual([])
  })

  test('stops at the first entry that names no device', () => {
    expect(detectGpus(recordedSystem({}, { env: { CUDA_VISIBLE_DEVICES: '0,-1,1' } })).ids).toEqual(['0'])
  })

  test.each(['ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES'])('takes %s', name => {
    expect(detectGpus(recordedSystem({}, { env: { [name]: '0,1' } }))).toEqual({ ids: ['0', '1'], source: name })
  })

  test('asks nvidia-smi when there are devices', () => {
    const listNvidiaGpus = () =>
      'GPU 0: A100 (UUID: GPU-1)\n  MIG 1g.5gb Device 0: (UUID: MIG-2)\nGPU 1: A100 (UUID: GPU-3)\n'
    expect(detectGpus(recordedSystem(DEVICES, { listNvidiaGpus }))).toEqual({ ids: ['0', '1'], source: 'nvidia-smi' })
  })

  test('takes the device files, in order of their numbers, when nvidia-smi is missing', () => {
    expect(detectGpus(recordedSystem(DEVICES))).toEqual({ ids: ['2', '10'], source: '/dev' })
  })

  test('does not start nvidia-smi where there is no device', () => {
    const listNvidiaGpus = () => expect.fail('nvidia-smi was started')
    expect(detectGpus(recordedSystem({ '/dev/null': '' }, { listNvidiaGpus })).ids).toEqual([])
  })
})
