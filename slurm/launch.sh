# For the batch scripts, which source it: finds the program, starts it with srun or mpirun, passes signals on, and asks
# Slurm to start the job again where that brings it further. Variables that change what it does:
#
#   COHORT            the program; else `cohort` on the PATH, or build/release/cohort of this checkout
#   COHORT_LAUNCHER   srun or mpirun; else srun where Slurm has PMIx, or mpirun
#   COHORT_BIND=none  ranks are not pinned to cores (several ranks on one core, virtual nodes)

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# need_slurm LINE: ends where this is no job of Slurm's, saying what to do instead.
need_slurm() {
  [ -z "${SLURM_JOB_ID:-}" ] || return 0
  command -v sbatch >/dev/null || fail "there is no Slurm here (no sbatch); without it: mpirun -n 2 cohort run CONFIG.toml"
  fail "this is for sbatch: $1"
}

cohort=${COHORT:-$(command -v cohort || echo "$here/../build/release/cohort")}
[ -z "${SLURM_JOB_ID:-}" ] || command -v "$cohort" >/dev/null ||
  fail "there is no program $cohort; build preset release (portable where nodes have different CPUs), or set COHORT"
threads=${SLURM_CPUS_PER_TASK:-1}
# Since Slurm 22.05 srun no longer takes the threads of a task from sbatch.
export OMP_NUM_THREADS=$threads SRUN_CPUS_PER_TASK=$threads

# What starts the program on all ranks of the job, as the array `launch`.
choose_launcher() {
  local launcher=${COHORT_LAUNCHER:-}
  if [ -z "$launcher" ]; then
    # The list is written to standard error by some versions.
    if srun --mpi=list 2>&1 | grep -qw pmix; then launcher=srun; else launcher=mpirun; fi
  fi
  case $launcher in
    srun)
      # The step ends as soon as a rank dies, with that rank's code.
      launch=(srun --mpi=pmix --kill-on-bad-exit=1 "--cpu-bind=$([ "${COHORT_BIND:-}" = none ] && echo none || echo cores)")
      ;;
    mpirun)
      command -v mpirun >/dev/null || fail "there is no mpirun on the PATH; load Open MPI's module"
      # After SIGTERM (scancel) mpirun kills ranks after one second unless told to wait for their checkpoint.
      export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-20}
      launch=(mpirun)
      if [ "${COHORT_BIND:-}" = none ]; then launch+=(--bind-to none); else launch+=(--map-by "slot:PE=$threads" --bind-to core); fi
      ;;
    *) fail "COHORT_LAUNCHER is $launcher; it may be srun or mpirun" ;;
  esac
}

# The program hears of SIGUSR1 in time to leave a checkpoint; mpirun on one node is no step of Slurm's, so that nothing
# but this tells its ranks.
ended_by=''
again=0
pass_on() {
  ended_by=$1
  again=1
  say "SIG$1: asking the ranks to leave a checkpoint and end"
  kill -USR1 "$child" 2>/dev/null || true
}

# run_and_wait COMMAND...: sets `code` to its exit code.
run_and_wait() {
  local waited
  "$@" &
  child=$!
  trap 'pass_on USR1' USR1
  trap 'pass_on TERM' TERM
  code=127
  # A signal ends `wait`, not the command: then it is waited for once more.
  while :; do
    again=0
    waited=0
    wait "$child" || waited=$?
    [ "$waited" = 127 ] || code=$waited
    [ "$again" = 1 ] || break
  done
  trap '' USR1 TERM
}

# What Slurm calls this job: of an array this task alone.
job_name() {
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; else echo "$SLURM_JOB_ID"; fi
}

# requeue: asks for this job again. Whoever sent SIGTERM (scancel, scontrol requeue, preemption) has decided already.
requeue() {
  [ "$ended_by" != TERM ] || return 1
  say "interrupted, and further than before: requeueing job $(job_name)"
  scontrol requeue "$(job_name)"
}

# cohort_run OPTIONS...: `cohort run` on all ranks; ends the script. The launcher's code does not tell an interruption
# from a failure (mpirun's may be 1 for both): the marker beside the checkpoint does.
cohort_run() {
  choose_launcher
  say "cohort run on $SLURM_JOB_NUM_NODES nodes, $SLURM_NTASKS ranks, $threads threads a rank, by ${launch[0]}" \
    "${SLURM_RESTART_COUNT:+(start ${SLURM_RESTART_COUNT} after the first)}"
  run_and_wait "${launch[@]}" "$cohort" run "$@"
  [ "$code" != 0 ] || exit 0
  local progress
  progress=$("$cohort" progress "$@" --quiet --json) || exit "$code"
  case $progress in
    *'"requeue":true'*)
      if requeue; then exit 3; fi
      say "interrupted; the same sbatch line goes on"
      exit 3
      ;;
    *'"interrupted":true'*)
      say "interrupted before it came further than the run before: not requeued; it needs a longer --time or more ranks"
      exit 3
      ;;
  esac
  exit "$code"
}
