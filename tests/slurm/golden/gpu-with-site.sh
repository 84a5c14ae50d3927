#!/bin/bash
#SBATCH --job-name=hr-00000000
#SBATCH --account=physics
#SBATCH --partition=gpu
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --time=01:00:00
#SBATCH --mem=64g
#SBATCH --gres=gpu:2
#SBATCH --output=/scratch/out/slurm_output_wf1_sl%j.o
#SBATCH --error=/scratch/out/slurm_output_wf1_sl%j.e
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=16
#SBATCH --constraint=nvme

export HEADRACE_SCHEDULER=slurm
export HEADRACE_ALLOCATION_NAME=hr-00000000
export HEADRACE_ALLOCATION_RUNNERS=1
export HEADRACE_ALLOCATION_WALLTIME_SECONDS=3600
export HEADRACE_ALLOCATION_STARTED="$(date +%s)"
. /scratch/out/access || exit 1
module load gcc
conda activate sim
cd /work || exit 1
exec runner run 1 --url http://login1:8080/v1 --output-dir /scratch/out --scheduler-config-id 3 </dev/null
