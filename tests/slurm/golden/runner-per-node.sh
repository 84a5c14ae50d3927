#!/bin/bash
#SBATCH --job-name=hr-00000000
#SBATCH --account=physics
#SBATCH --nodes=4
#SBATCH --time=1-00:00:00
#SBATCH --output=/scratch/out/slurm_output_wf1_sl%j.o
#SBATCH --error=/scratch/out/slurm_output_wf1_sl%j.e
#SBATCH --open-mode=append

export HEADRACE_SCHEDULER=slurm
export HEADRACE_ALLOCATION_NAME=hr-00000000
export HEADRACE_ALLOCATION_RUNNERS=8
export HEADRACE_ALLOCATION_WALLTIME_SECONDS=86400
export HEADRACE_ALLOCATION_STARTED="$(date +%s)"
cd /work || exit 1
exec srun --nodes=4 --ntasks=4 --ntasks-per-node=1 --cpus-per-task="$SLURM_CPUS_ON_NODE" --mem=0 --overlap --cpu-bind=none --kill-on-bad-exit=0 --wait=0 --mpi=pmix /bin/bash -c 'export HEADRACE_WORKER=$((SLURM_PROCID + 1)); exec runner run 1 --url http://login1:8080/v1 --output-dir /scratch/out --scheduler-config-id 3' </dev/null
