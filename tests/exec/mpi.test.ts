import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'
import { kinds, openNode } from './node.ts'

const LIBRARY = 'libmpich.so.12'

/**
 * The first rank tells the sum of all ranks, which it does not know without the others. Over MPICH's library itself, so that no compiler and no
 * headers are needed: the numbers are its binary interface's (MPI_COMM_WORLD, MPI_INT, MPI_SUM).
 */
const PROGRAM = `
import ctypes
mpi = ctypes.CDLL('${LIBRARY}')
world, integer, add = 0x44000000, 0x4c000405, 0x58000003
rank, size, total = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
mpi.MPI_Init(None, None)
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(size))
mpi.MPI_Allreduce(ctypes.byref(rank), ctypes.byref(total), 1, integer, add, world)
if rank.value == 0:
    print(f'{size.value} ranks: {total.value}', flush=True)
mpi.MPI_Finalize()
`

const succeeds = (program: string, ...words: string[]): boolean => spawnSync(program, words).status === 0
const hasMpich =
  succeeds('mpiexec.mpich', '--version') && succeeds('python3', '-c', `import ctypes; ctypes.CDLL('${LIBRARY}')`)

const test = skipUnless(hasMpich, 'no MPICH (Debian: mpich): an MPI program inside a grant')

test.each(kinds)("an MPI program runs under the machine's own mpiexec inside one grant, %s", async kind => {
  const node = await openNode(kind)
  writeFileSync(node.site.path('sum.py'), PROGRAM)
  const words = ['-c', '4', 'mpiexec.mpich', '-n', '4', 'python3', 'sum.py']
  const { code, stdout, stderr } = await node.run(words)
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '4 ranks: 6\n' })
  await node.waitForStatus('all cores are back', status => status.holding.length === 0 && status.free.cpus === 8)
})
