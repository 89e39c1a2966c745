"""Calls to the system that fail on one rank, or on the one there is: every call, or every n-th."""

import errno

from harness import Result, Trial, judge, launch, undisturbed
from population import differences, neutral, temporary_files

LEGAL = (0, errno.EINTR)  # a call that does only a part, or none and says to come again


def in_output(population, output):
    """Of the files that the program makes."""
    return {"COHORT_FAULT_PATH": f"{output}/*"}


def in_input(population, output):
    """Of the files that it is given."""
    return {"COHORT_FAULT_PATH": f"{population.data}/*"}


def by_program(population, output):
    """In Cohort's own code, whatever file it is about, or none."""
    return {"COHORT_FAULT_CALLER": "program"}


def settings(population, output, kinds, chosen):
    return {"COHORT_FAULT_CALLS": kinds} | chosen(population, output)


def calls_of(population, command, kinds, chosen, ranks, scratch):
    """What each rank calls when nothing fails: (rank, number, function)."""
    output, arguments, _ = population.start(command, scratch / f"count-{command}-{ranks}-{kinds}-{chosen.__name__}")
    ended = undisturbed(arguments, ranks, scratch, faults=settings(population, output, kinds, chosen))
    words = ((rank, line.split(" ", 3)) for rank, line in ended.log)
    return [(rank, int(number), function) for rank, (_, number, function, _) in words]


def what_is_left(population, command, arguments, output, right, ended, name, complaints):
    """The result of a trial. What the faulty run left must not be in the way of the same command, given again
    on one rank."""
    outcome = {0: "did not matter", 1: "exit 1", 2: "exit 2"}.get(ended.code, "other exit")
    if command in population.WRITES:
        if ended.code == 0:
            complaints += differences(output, right)
        again = launch(arguments, 1, output.parent)
        complaints += [f"again: {text}" for text in judge(again, codes=(0,))]
        if again.code == 0:
            complaints += [f"again: {text}" for text in differences(output, right) + temporary_files(output)]
        else:
            complaints += again.said
    elif ended.code == 0 and neutral(ended.out, output) != population.output_of(command):
        complaints.append("exit 0 with another output")
    return Result(name, "wrong" if complaints else outcome, complaints, ended.line, ended.err)


def trial(population, command, kinds, chosen, ranks, call, error, sticky):
    rank, number, function = call
    name = (f"{command} on {ranks}, rank {rank}: {errno.errorcode[error] if error else 'a part'} in {function}, call "
            f"{number}{' and all after it' if sticky else ''}")

    def run(directory):
        output, arguments, right = population.start(command, directory)
        faults = settings(population, output, kinds, chosen)
        faults |= {"COHORT_FAULT_RANK": rank, "COHORT_FAULT_AT": number, "COHORT_FAULT_STICKY": sticky}
        if error:
            faults["COHORT_FAULT_ERROR"] = error
        ended = launch(arguments, ranks, directory, faults=faults)
        complaints = judge(ended)
        if not ended.reached:
            complaints.append("the call did not come")
        if error in LEGAL and ended.code != 0:
            complaints.append("what is legal is taken for a fault")
        if error not in LEGAL and function in ("fsync", "fdatasync", "rename") and ended.code == 0:
            complaints.append(f"exit 0 although {function} failed")
        return what_is_left(population, command, arguments, output, right, ended, name, complaints)

    return Trial(name, run)


def trials(population, scratch, every, errors, groups, ranks=(1, 3), stickies=(0, 1)):
    """Every n-th call of the groups, (command, kinds, chosen), each with one of `errors` in turn, alone or with all after
    it."""
    found = [(command, kinds, chosen, count, call)
             for command, kinds, chosen in groups for count in ranks
             for call in calls_of(population, command, kinds, chosen, count, scratch)]
    return [trial(population, *one, errors[place % len(errors)], stickies[place // len(errors) % len(stickies)])
            for place, one in enumerate(found[every // 2::every])]
