#!/usr/bin/python3
"""Ways to make nested segments, beside free k-means of the same numbers: docs/results.md, "Nested segments".

  tests/peer/nesting.py planted                # made-up clouds of clouds of clouds
  tests/peer/nesting.py run/segments.h5        # the users of a result, by direction

Prints, for each way, the inertia of every level over that of free k-means, the agreement with what was planted (adjusted
Rand index), and the share of users who are nearest to the mean of their own segment.
"""

import sys

import h5py
import numpy

LEVELS = [5, 20, 100]
random = numpy.random.default_rng(1)


def unit(rows, spherical):
    return rows / numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), 1e-12) if spherical else rows


def squares(rows, centres):
    return numpy.maximum((rows * rows).sum(1)[:, None] + (centres * centres).sum(1) - 2 * rows @ centres.T, 0)


def start(rows, count, weight):
    """Weighted k-means++ with several draws a centre."""
    chosen = [random.choice(len(rows), p=weight / weight.sum())]
    mass = squares(rows, rows[chosen])[:, 0]
    for _ in range(count - 1):
        chance = weight * mass
        draws = random.choice(len(rows), size=2 + int(numpy.log(count)), p=chance / chance.sum())
        distance = squares(rows, rows[draws])
        best = (weight[:, None] * numpy.minimum(mass[:, None], distance)).sum(0).argmin()
        chosen.append(draws[best])
        mass = numpy.minimum(mass, distance[:, best])
    return rows[chosen].copy()


def kmeans(rows, count, spherical, weight=None, restarts=4):
    weight = numpy.ones(len(rows)) if weight is None else weight
    every, best = numpy.arange(len(rows)), (numpy.inf, None)
    for _ in range(restarts):
        centres, last = start(rows, count, weight), numpy.inf
        for _ in range(100):
            distance = squares(rows, centres)
            nearest = distance.argmin(1)
            for empty in set(range(count)) - set(nearest):
                farthest = distance[every, nearest].argmax()
                nearest[farthest], centres[empty] = empty, rows[farthest]
            inertia = (weight * distance[every, nearest]).sum()
            if last - inertia < 1e-4 * last < numpy.inf:
                break
            last = inertia
            centres = unit(numpy.stack([numpy.average(rows[nearest == c], axis=0, weights=weight[nearest == c])
                                        for c in range(count)]), spherical)
        if inertia < best[0]:
            best = inertia, nearest
    return best[1]


def inertia_of(rows, segment, spherical):
    return sum(numpy.square(inside - unit(inside.mean(0)[None], spherical)).sum()
               for inside in (rows[segment == s] for s in numpy.unique(segment)))


def worth(total, count, spherical):
    """Of a group by the sum of its users: what its inertia is less than around 0."""
    return numpy.linalg.norm(total, axis=-1) if spherical else (total * total).sum(-1) / count


def agglomerate(total, count, groups, spherical, exchange):
    """As src/cluster/levels.cpp: the pair that loses least, again and again; then single moves."""
    parts, sizes, label = total.copy(), count.copy(), numpy.arange(len(total))
    total, count, alive = total.copy(), count.astype(float), list(range(len(total)))
    while len(alive) > groups:
        names, best = numpy.array(alive), (numpy.inf, 0, 0)
        values = worth(total[names], count[names], spherical)
        for place, one in enumerate(names[:-1]):
            others = names[place + 1:]
            loss = values[place] + values[place + 1:] - worth(total[one] + total[others], count[one] + count[others],
                                                              spherical)
            if loss.min() < best[0]:
                best = loss.min(), one, others[loss.argmin()]
        _, into, gone = best
        total[into] += total[gone]
        count[into] += count[gone]
        label[label == gone] = into
        alive.remove(gone)
    label, total, count = numpy.searchsorted(alive, label), total[alive], count[alive]
    moved = exchange
    while moved:
        moved = False
        for part, own in enumerate(label):
            if (label == own).sum() == 1:
                continue
            values = worth(total, count, spherical)
            gain = worth(total + parts[part], count + sizes[part], spherical) - values
            gain += worth(total[own] - parts[part], count[own] - sizes[part], spherical) - values[own]
            gain[own] = 0
            best = gain.argmax()
            if gain[best] > 1e-9 * values.sum():
                for group, sign in ((own, -1), (best, 1)):
                    total[group] += sign * parts[part]
                    count[group] += sign * sizes[part]
                label[part], moved = best, True
    return label


def upwards(rows, spherical, group):
    found = [kmeans(rows, LEVELS[-1], spherical)]
    for count in LEVELS[-2::-1]:
        sizes = numpy.bincount(found[0])
        sums = numpy.stack([rows[found[0] == s].sum(0) for s in range(len(sizes))])
        found.insert(0, group(sums, sizes, count)[found[0]])
    return found


def downwards(rows, spherical):
    found = [kmeans(rows, LEVELS[0], spherical)]
    for count in LEVELS[1:]:
        above, parts = found[-1], found[-1].max() + 1
        inertia = numpy.array([inertia_of(rows[above == s], numpy.zeros((above == s).sum(), int), spherical)
                               for s in range(parts)])
        most = numpy.array([len(numpy.unique(rows[above == s], axis=0)) for s in range(parts)])
        inside = numpy.ones(parts, int)
        while inside.sum() < count:
            inside[numpy.where(inside < most, inertia / inside, -1).argmax()] += 1
        below, first = numpy.zeros(len(rows), int), 0
        for s in range(parts):
            below[above == s] = first + kmeans(rows[above == s], inside[s], spherical)
            first += inside[s]
        found.append(below)
    return found


def agreement(one, other):
    table = numpy.zeros((one.max() + 1, other.max() + 1))
    numpy.add.at(table, (one, other), 1)

    def pairs(counts):
        return (counts * (counts - 1) / 2).sum()

    both, a, b = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    expected = a * b / pairs(numpy.array([len(one)]))
    return (both - expected) / ((a + b) / 2 - expected)


def at_home(rows, segment, spherical):
    centres = unit(numpy.stack([rows[segment == s].mean(0) for s in range(segment.max() + 1)]), spherical)
    return (squares(rows, centres).argmin(1) == segment).mean()


def compare(name, rows, spherical, truth=None):
    free = [kmeans(rows, count, spherical) for count in LEVELS]
    ways = {"free": lambda: free,
            "pairs": lambda: upwards(rows, spherical, lambda *of: agglomerate(*of, spherical, False)),
            "pairs, then moves": lambda: upwards(rows, spherical, lambda *of: agglomerate(*of, spherical, True)),
            "k-means of centres": lambda: upwards(rows, spherical, lambda sums, sizes, count: kmeans(
                sums / sizes[:, None], count, False, sizes.astype(float), 20)),
            "k-means inside": lambda: downwards(rows, spherical)}
    for way, make in ways.items():
        found = make()
        ratio = " ".join(f"{inertia_of(rows, a, spherical) / inertia_of(rows, b, spherical):.3f}"
                         for a, b in zip(found, free))
        planted = "" if truth is None else "  ARI " + " ".join(f"{agreement(a, b):.3f}" for a, b in zip(found, truth))
        home = " ".join(f"{at_home(rows, segment, spherical):.3f}" for segment in found)
        print(f"{name:16} {way:18} inertia {ratio}{planted}  at home {home}", flush=True)


def planted(noise, evenness):
    """4,000 points in 5 clouds of 4 clouds of 5 clouds; sizes by a Dirichlet distribution."""
    centres, labels = random.normal(size=(5, 32)), [numpy.arange(5)]
    for inside, spread in ((4, 0.5), (5, 0.25)):
        above = numpy.repeat(numpy.arange(len(centres)), inside)
        centres = centres[above] + spread * random.normal(size=(len(above), 32))
        labels = [label[above] for label in labels] + [numpy.arange(len(centres))]
    share = numpy.maximum(random.dirichlet(numpy.full(len(centres), evenness)), 3 / 4000)
    cloud = random.choice(len(centres), size=4000, p=share / share.sum())
    return centres[cloud] + noise * random.normal(size=(4000, 32)), [label[cloud] for label in labels]


if __name__ == "__main__":
    if sys.argv[1] == "planted":
        for noise in (0.1, 0.2, 0.3):
            for evenness in (50, 2):
                points, labels = planted(noise, evenness)
                compare(f"{noise} {'even' if evenness > 9 else 'uneven'}", points, False, labels)
    else:
        with h5py.File(sys.argv[1]) as file:
            users = unit(file["users/embedding"][...].astype(float), True)
        compare("", users[numpy.linalg.norm(users, axis=1) > 0], True)
