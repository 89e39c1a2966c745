"""Memory that is not there: operator new fails once, at every distinct stack of callers, or at every n-th of them; and
what the program asks of the system itself."""

from calls import what_is_left
from harness import Result, Trial, judge, launch, undisturbed


def stacks_of(population, command, ranks, scratch):
    """(rank, stack), each stack once, on the first rank that has it."""
    _, arguments, _ = population.start(command, scratch / f"stacks-{command}-{ranks}")
    ended = undisturbed(arguments, ranks, scratch, faults={"COHORT_FAULT_STACKS": "list"})
    first = {}
    for rank, line in ended.log:
        first.setdefault(line.split()[1], rank)
    return [(rank, stack) for stack, rank in first.items()]


def trial(population, command, ranks, rank, stack):
    name = f"{command} on {ranks}, rank {rank}: no memory at stack {stack}"

    def run(directory):
        output, arguments, right = population.start(command, directory)
        faults = {"COHORT_FAULT_STACK": stack, "COHORT_FAULT_RANK": rank}
        ended = launch(arguments, ranks, directory, faults=faults)
        complaints = judge(ended)
        if not ended.reached:
            return Result(name, "not reached", complaints, ended.line, ended.err)
        return what_is_left(population, command, arguments, output, right, ended, name, complaints)

    return Trial(name, run)


def trials(population, scratch, every, groups):
    """Every n-th stack of the groups, (command, ranks); a stack that an earlier group had is not taken again."""
    found = {}
    for command, ranks in groups:
        for rank, stack in stacks_of(population, command, ranks, scratch):
            found.setdefault(stack, (command, ranks, rank))
    return [trial(population, *where, stack) for stack, where in list(found.items())[every // 2::every]]
