#!/bin/bash
#SBATCH --job-name=torc-wf1-sched3
#SBATCH --account=physics
#SBATCH --nodes=1
#SBATCH --time=UNLIMITED
#SBATCH --output=/scratch/out/slurm_output_wf1_sl%j.o
#SBATCH --error=/scratch/out/slurm_output_wf1_sl%j.e
#SBATCH --open-mode=append
#SBATCH --dependency=singleton
#SBATCH --qos=long
#SBATCH --exclusive

export HEADRACE_SCHEDULER=slurm
export HEADRACE_ALLOCATION_NAME=hr-00000000
export HEADRACE_ALLOCATION_RUNNERS=1
export HEADRACE_ALLOCATION_STARTED="$(date +%s)"
cd /work || exit 1
exec runner run 1 --url http://login1:8080/v1 --output-dir /scratch/out --scheduler-config-id 3 </dev/null
