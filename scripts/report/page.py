"""The page: what the parts say in words, and the template that they go into."""

import math
import pathlib

import jinja2
import markupsafe
import numpy

from report import figures, flows, levels
from report.words import described, named, quoted, spoken

HERE = pathlib.Path(__file__).parent
NEAR_BORDER = 0.05     # a user is near one where another centroid is hardly farther, by this share of the distance
LOW_SILHOUETTE = 0.05  # below it segments shade into each other
MOST_ACTIVITY = 0.2    # of the variance of log activity; above it segments are partly levels of activity
STILL_FALLING = 0.01   # of the loss, an epoch; above it training was not done
CLEARLY_OFF = 0.1      # of a mean, in standard deviations, to be drawn
LIFTED = ("items", "categories", "user_categories")  # tables of what segments have more often
CLEARLY_MORE = 1.1     # lift of a user category, to be listed
MOST_RANKS = 16        # drawn one by one
MOST_GAINS = 24        # segments whose gain is drawn
MOVES = 10             # listed

# What /history calls things, in the order of the stages; those with a dash are part of the one before.
PHASES = {"prepare": "prepare", "read": "– read", "dictionary": "– number ids", "clean": "– clean",
          "partition": "partition", "train": "train", "train_waiting": "– wait for other ranks", "segment": "segment",
          "profile": "profile", "recommend": "recommend"}
ROWS = {"owned": "rows owned", "ghosts": "rows of other ranks that are read (ghosts)",
        "remote_rows": "rows of sampled pairs fetched from other ranks"}
BYTES = {"halo_bytes": "given to other ranks for propagation", "pair_bytes": "given to other ranks for sampled pairs"}


def number(value):
    return f"{int(value):,}"


def noun(value, one):
    return one if int(value) == 1 else one + "s"


def counted(value, one):
    return f"{number(value)} {noun(value, one)}"


def percent(share):
    return f"{100 * share:.1f}\u00a0%"


def digits(value, places=3):
    return "–" if value is None or math.isnan(value) else f"{value:.{places}f}".replace("-", "\u2212")


def seconds(value):
    return f"{value / 60:.1f}\u00a0min" if value >= 120 else f"{value:.3g}\u00a0s"


def in_bytes(value):
    unit = 0
    while value >= 1000 and unit < 4:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g}\u00a0{('B', 'kB', 'MB', 'GB', 'TB')[unit]}"


def with_interval(value, interval):
    if math.isnan(interval[0]):
        return digits(value)
    return f"{digits(value)} (95\u00a0% interval {digits(interval[0])} to {digits(interval[1])})"


def between_share(result):
    """The share of the embedding's variance that lies between segments; None where it says nothing."""
    if result.spherical or result.variance == 0 or result.count == 1:
        return None
    return 1 - numpy.square(result.distance).sum() / result.variance


def near_border(result):
    if result.count == 1:
        return None
    return numpy.mean(result.margin < NEAR_BORDER * result.distance)


def loss_fall(loss):
    """The mean fall over the last epochs, three at most, as a share of the loss before them."""
    epochs = min(3, len(loss) - 1)
    if epochs < 1 or loss[-1 - epochs] == 0:
        return 0
    return (loss[-1 - epochs] - loss[-1]) / abs(loss[-1 - epochs]) / epochs


def doubts(result):
    """What a reader must know before believing in the segments, as `cohort run` says it."""
    said = []
    silhouette = result.silhouette()
    if silhouette < LOW_SILHOUETTE:
        said.append(f"The silhouette is {digits(silhouette)}, below {LOW_SILHOUETTE:g}: segments shade into each other, "
                    "and where they are cut is partly arbitrary.")
    activity = result.profile.activity_share if result.profile else 0
    if activity > MOST_ACTIVITY:
        said.append(f"Segments explain {100 * activity:.0f}\u00a0% of the variance of log activity, more than "
                    f"{100 * MOST_ACTIVITY:.0f}\u00a0%: they are partly levels of activity, not of taste.")
    fall = loss_fall(result.loss)
    # With candidates the loss is softmax, whose rate has fallen to 0: more epochs would not go on from there.
    if fall > STILL_FALLING and not result.choice:
        said.append(f"The loss was still falling by {100 * fall:.1f}\u00a0% an epoch when training ended after epoch "
                    f"{len(result.loss)}; more train.epochs may help.")
    return said


def best_strategy(strategies, written):
    """Which strategy is best by NDCG, how surely, and whether it is the one whose lists are in the file."""
    ranked = sorted(((name, found["overall"]["ndcg"]) for name, found in strategies.strategies.items()
                     if not math.isnan(found["overall"]["ndcg"]["mean"])), key=lambda one: -one[1]["mean"])
    if not ranked:
        return "No strategy could be measured."
    (name, best), *others = ranked
    said = f"Best is {name}, with NDCG@{strategies.k} {with_interval(best['mean'], best['interval'])}"
    close = [f"{other} ({digits(ndcg['mean'])})" for other, ndcg in others
             if not ndcg["interval"][1] < best["interval"][0]]
    if close:
        said += f"; not clearly worse, their intervals overlapping: {', '.join(close)}"
    elif others:
        said += f", clearly ahead of the next, {others[0][0]} ({digits(others[0][1]['mean'])})"
    if written:
        said += f". The lists in this result are {'its own' if written == name else 'those of ' + written}"
    return said + "."


def strategy_sentence(strategies):
    segment, base = (strategies.strategies[name]["overall"] for name in ("segment", "global"))
    ndcg = segment["ndcg"]
    numbers = (f"NDCG@{strategies.k} is {digits(ndcg['mean'])} instead of {digits(base['ndcg']['mean'])}, a difference "
               f"of {with_interval(ndcg['gain'], ndcg['gain_interval'])} over {counted(segment['users'], 'test user')}")
    if segment["beats_global"]:
        return f"Recommending what is popular inside the segment beats what is popular with everybody: {numbers}."
    return ("Nothing shows that recommending what is popular inside the segment beats what is popular with everybody: "
            f"{numbers}.")


def stability_sentence(comparison):
    other = comparison.names[1 - comparison.here]
    return (f"Beside {other}, {percent(comparison.stay_share)} of the {number(comparison.users['common'])} users in "
            f"both are in the matching segment (adjusted Rand index {digits(comparison.ari)}).")


def listed(numbers):
    return ", ".join(map(str, numbers))


def changed_segments(succession, level=None):
    """Which are new and which are gone, a sentence each where there are any."""
    said = []
    of_level = "" if level is None else f" of level {level}"
    if succession["appeared"]:
        said.append(f"New {noun(len(succession['appeared']), 'segment')}{of_level}: {listed(succession['appeared'])}.")
    if succession["vanished"]:
        gone = "Segment{} that is gone" if len(succession["vanished"]) == 1 else "Segments{} that are gone"
        said.append(f"{gone.format(of_level)}: {listed(succession['vanished'])}.")
    return said


def succession_sentences(succession, above):
    """How many users stayed where they were in the result that this one follows; which segments came and went. above: of
    nested segments, the levels above the finest."""
    share = percent(succession["stayed"] / succession["common"])
    said = [f"The segments follow those of {succession['path']}: {share} of the {counted(succession['common'], 'user')} "
            "in both are in the segment of the same number."]
    for level in above:
        said.append(f"At level {level.number}, {percent(level.succession['stayed'] / succession['common'])} are in the segment "
                    "of the same number.")
        said += changed_segments(level.succession, level.number)
    said += changed_segments(succession, above[-1].number + 1 if above else None)
    return said


def count_sentence(result):
    """How many segments there are, and how that was found."""
    excess = result.tried["silhouette"] - result.tried["reference"]
    best = int(excess.argmax())
    why = (f"the silhouette is {digits(result.tried['silhouette'][best])}, where users of the same spread without segments "
           f"have {digits(result.tried['reference'][best])}")
    numbers = f"Of {counted(len(excess), 'number')} of segments that were tried"
    halves = ""
    if "valley" in result.tried:
        halves = (f"; segments of halves of the users agree by {digits(result.tried['stability'][best])} (adjusted Rand index; "
                  f"without segments {digits(result.tried['reference_stability'][best])}), and "
                  f"half-way between neighbouring ones users are {percent(result.tried['valley'][best])} as dense as at most on "
                  f"the way (without {percent(result.tried['reference_valley'][best])})")
    if result.count == 1:
        return (f"{numbers} none stands apart, so there is one segment, all users: even with "
                f"{number(result.tried['segments'][best])} {why}{halves}.")
    return f"{numbers}, {result.count} stands out most: {why}{halves}."


def marked_segments(profile):
    tables = (profile.tables["items"], profile.tables["categories"])
    return sum(any(row.get("marking") for table in tables for row in table[s]) for s in range(profile.count))


def findings(result, strategies, comparison):
    """How good the segments are, a sentence each; first what speaks against them."""
    said = doubts(result)
    if result.tried:
        said.append(count_sentence(result))
    if result.succession:
        said += succession_sentences(result.succession, result.levels[:-1])
    share = between_share(result)
    if share is not None:
        said.append(f"The segments account for {percent(share)} of the variance of the users' embeddings.")
    border = near_border(result)
    if border is not None:
        said.append(f"{percent(border)} of the users are on a border: another segment is less than "
                    f"{100 * NEAR_BORDER:g}\u00a0% farther.")
    if result.profile and result.profile.tested and result.count > 1:
        marked = marked_segments(result.profile)
        said.append(f"{marked} of {result.count} segments {'is' if marked == 1 else 'are'} marked by items or categories "
                    "that their users chose more often than chance would have it, in interactions that were held out.")
    if strategies:
        said.append(best_strategy(strategies, result.strategy))
        said.append(strategy_sentence(strategies))
    if comparison:
        said.append(stability_sentence(comparison))
    return said


def lift_rows(rows, largest):
    return [row | {"width": 100 * max(math.log(row["lift"]), 0) / math.log(largest) if row["lift"] > 0 else 0}
            for row in rows]


def by_attribute(rows, most):
    attributes = {}
    for row in rows:
        attributes.setdefault(row["attribute"], []).append(row)
    return {spoken(name): some[:most] for name, some in attributes.items()}


def card(result, segment, colour, largest):
    size = int(result.size[segment])
    found = {"number": result.number[segment], "name": "", "fill": colour[0], "ink": colour[1], "size": size,
             "share": size / result.users, "within": within(result, segment), "recommended": result.recommended[segment] if result.recommended else None}
    profile = result.profile
    if not profile:
        return found
    value = {name: column[segment] for name, column in profile.values.items()}
    # One segment alone is all users, who have nothing more often than all users.
    lifts = profile.tables if result.count > 1 else {}
    items, categories, users = (lifts[name][segment] if lifts else [] for name in LIFTED)
    users = [row for row in users if row["lift"] >= CLEARLY_MORE]
    found |= {
        "name": named(profile.tables["categories"][segment], profile.tables["items"][segment], profile.tested),
        "words": described(profile.description[segment], profile.attributes), "value": value,
        "items": lift_rows(items, largest),
        "categories": by_attribute(lift_rows(categories, largest), 3),
        "user_categories": by_attribute(lift_rows(users, largest), 3),
        "numeric": [row for row in profile.numeric[segment] if abs(row["deviation"]) >= CLEARLY_OFF],
        "nearest": [int(row["id"]) for row in profile.tables["nearest"][segment][:3]],
        "typical": [row["name"] for row in profile.tables["representative"][segment][:5]]}
    return found


def groups_of(result, tree, cards):
    """Cards by the segment of the first level that they lie in, or all together."""
    if not tree:
        return [{"top": None, "cards": cards}]
    tops = levels.tops_of(result.levels, len(result.levels))
    return [{"top": top, "cards": [one for one, above in zip(cards, tops) if above == row]}
            for row, top in enumerate(tree)]


def within(result, segment):
    """What a segment of the finest level adds to the one above; None where there is none, or it is not known."""
    finest = result.levels[-1] if result.levels else None
    if not finest or not finest.added:
        return None
    words = described(finest.added["description"][segment], finest.profile.attributes if finest.profile else ())
    return {"level": finest.number - 1, "number": result.levels[-2].called[finest.parent[segment]], "words": words[:1].lower() + words[1:]}


def bars(history, names, unit, common):
    """Rows of bars, one for each rank; common: all on one scale. What is zero on every rank is left out, as is what a
    rank alone cannot have."""
    known = [name for name in names if name in history and history[name].max(initial=0) > 0
             and (name != "train_waiting" or len(history[name]) > 1)]
    most = max((history[name].max() for name in known), default=0)
    rows = []
    for name in known:
        values = history[name]
        full = most if common else values.max()
        few = len(values) <= MOST_RANKS
        shown = [(f"rank {rank}", value) for rank, value in enumerate(values)] if few else \
            [("most", values.max()), ("median", numpy.median(values)), ("least", values.min())]
        ends = [unit(values.min()), unit(values.max())]
        rows.append({"name": names[name], "ranks": len(values), "text": " to ".join(dict.fromkeys(ends)),
                     "bars": [{"who": who, "width": 100 * value / full if full else 0, "text": unit(value)}
                              for who, value in shown]})
    return rows


def context(result, strategies, comparison, sample):
    of_level = levels.colours(result.levels) if result.levels else [figures.colours(result.number)]
    colour = of_level[-1]
    fills = [fill for fill, _ in colour]
    # What the map's numbers stand for is what its legend lists: of nested segments, those of the first level.
    labelled = numpy.array(levels.tops_of(result.levels, len(result.levels)) if result.levels else range(result.count))
    maps = []
    for name, places in filter(None, (("PCA", result.map[sample]), figures.neighbour_map(result.embedding(sample)))):
        image, labels, edge = figures.scatter(places, result.segment[sample], fills, labelled[result.segment[sample]])
        maps.append({"name": name, "image": image, "labels": labels, "edge": edge})
    lifts = [row["lift"] for name in LIFTED
             for rows in (result.profile.tables[name] if result.profile else []) for row in rows]
    largest = max([2, *lifts])  # a scale needs a length
    found = {
        "result": result, "colour": colour, "map_colour": of_level[0], "maps": maps, "sample": len(sample), "strategies": strategies,
        "comparison": comparison, "lifted": bool(lifts) and result.count > 1,
        "findings": findings(result, strategies, comparison),
        "tree": levels.tree(result.levels) if result.levels else [],
        "plane": numpy.square(result.map - result.map.mean(axis=0)).sum() / result.variance if result.variance else 0,
        "curves": [], "count_curve": figures.count_curve(result.tried, result.count) if result.tried else None,
        "timing": bars(result.timing, PHASES, seconds, True),
        "traffic": bars(result.traffic, ROWS, number, False) + bars(result.traffic, BYTES, in_bytes, False)
        if result.attributes["ranks"] != "1" else []}
    cards = [card(result, segment, colour[segment], largest) for segment in range(result.count)]
    found |= {"cards": cards, "legend": found["tree"] or cards, "groups": groups_of(result, found["tree"], cards)}
    if len(result.loss):
        found["curves"].append(("Training: loss by epoch", figures.curve(result.loss, "loss", "epoch")))
    if len(result.inertia):
        found["curves"].append(("Clustering: inertia by iteration",
                                figures.curve(result.inertia, "inertia", "iteration", mark=True)))
    if strategies:
        gains = [(s, one["ndcg"]["gain"], one["ndcg"]["gain_interval"])
                 for s, one in enumerate(strategies.strategies["segment"]["segments"])]
        # Of segments with few test users chance decides: what has no interval is not drawn.
        gains = [gain for gain in gains if not math.isnan(gain[1]) and not math.isnan(gain[2][0])][:MOST_GAINS]
        found |= {"sentence": strategy_sentence(strategies), "best": best_strategy(strategies, result.strategy),
                  "dots": figures.strategy_dots(strategies),
                  "gains": figures.segment_gains(gains, fills, result.number) if gains else None, "gains_shown": len(gains)}
    if comparison:
        moves = sorted((flow for flow in comparison.flows if comparison.match.get(flow[0]) != flow[1]),
                       key=lambda flow: -flow[2])
        found |= {"stability": stability_sentence(comparison), "sankey": flows.sankey(comparison),
                  "moves": [(comparison.numbers[0][first], comparison.numbers[1][second], users)
                            for first, second, users in moves[:MOVES]], "all_moves": len(moves)}
    return found


def render(result, strategies, comparison, sample):
    """The page as text. sample: numbers of the users on the map, ascending."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"number": number, "counted": counted, "percent": percent, "digits": digits, "bytes": in_bytes,
                            "quoted": quoted}
    style = markupsafe.Markup((HERE / "style.css").read_text(encoding="utf-8"))
    return environment.get_template("report.html.j2").render(style=style,
                                                             **context(result, strategies, comparison, sample))
