"""Everything that is drawn, as data URIs, and the colours of segments, which are the same all over the report."""

import base64
import importlib.util
import io

import matplotlib
import numpy

matplotlib.use("Agg")
from matplotlib import pyplot, ticker  # noqa: E402 - the backend must be chosen first

# Paul Tol's "muted" scheme (personal.sron.nl/~pault): told apart by colour-blind readers.
PALETTE = ("#332288", "#CC6677", "#44AA99", "#DDCC77", "#882255", "#88CCEE", "#117733", "#999933", "#AA4499")
INK = "#1f2933"
MUTED = "#5b6770"
GRID = "#dde2e6"
LABEL_GAP = 5.5  # per cent of a map's width between two numbers, so that none hides another
PHONE_GAP = 7.5  # the same on a phone, where a number is as large as a finger needs
FAR_OUT = 0.5    # per cent of the users at either end of a map that do not decide how much it shows

pyplot.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 8.5, "text.color": INK, "axes.edgecolor": MUTED, "axes.linewidth": 0.7,
    "axes.labelcolor": INK, "xtick.color": MUTED, "ytick.color": MUTED, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "svg.hashsalt": "cohort"})


def _mixed(colour, other, share):
    return tuple((1 - share) * a + share * b for a, b in zip(colour, other))


def _colour(segment):
    """The palette, then lighter, then darker, then again."""
    colour = matplotlib.colors.to_rgb(PALETTE[segment % len(PALETTE)])
    turn = segment // len(PALETTE) % 3
    return _mixed(colour, ((0, 0, 0), (1, 1, 1), (0, 0, 0))[turn], (0, 0.4, 0.4)[turn])


def _with_ink(colour):
    """(fill, colour of text on it), as #rrggbb."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    luminance = numpy.dot(linear, (0.2126, 0.7152, 0.0722))
    return matplotlib.colors.to_hex(colour), "#ffffff" if luminance < 0.179 else "#000000"


def colours(numbers):
    """[(fill, colour of text on it)] of the segments called so, as #rrggbb: a number keeps its colour from day to day."""
    return [_with_ink(_colour(segment)) for segment in numbers]


def shaded(fill, shade):
    """The same for a colour that is lighter (up to 1) or darker (down to -1)."""
    return _with_ink(_mixed(matplotlib.colors.to_rgb(fill), (1, 1, 1) if shade > 0 else (0, 0, 0), abs(shade)))


def _uri(figure, form, **options):
    buffer = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    figure.savefig(buffer, format=form, metadata=metadata, **options)
    pyplot.close(figure)
    kind = "svg+xml" if form == "svg" else form
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def neighbour_map(embedding):
    """(name, places) by the first of UMAP and t-SNE whose library is there; None where neither is."""
    if len(embedding) < 10:
        return None
    if importlib.util.find_spec("umap"):
        from umap import UMAP
        neighbours = min(15, len(embedding) - 1)
        return "UMAP", UMAP(n_neighbors=neighbours, random_state=0, n_jobs=1).fit_transform(embedding)
    if importlib.util.find_spec("sklearn"):
        from sklearn.manifold import TSNE
        perplexity = min(30, (len(embedding) - 1) / 3)
        return "t-SNE", TSNE(init="pca", perplexity=perplexity, random_state=0).fit_transform(embedding)
    return None


def _apart(left, top, aspect, labels, gap):
    return all(numpy.hypot(left - x, (top - y) / aspect) >= gap for _, x, y in labels)


def _free_place(left, top, aspect, labels):
    """The nearest place to (left, top) where a number hides none of `labels`; None where all near are taken."""
    for radius in numpy.arange(0, 1.51, 0.5) * LABEL_GAP:
        for turn in numpy.arange(0, 2, 0.25 if radius else 2) * numpy.pi:
            x, y = left + radius * numpy.cos(turn), top + radius * aspect * numpy.sin(turn)
            if 2 < x < 98 and 2 < y < 98 and _apart(x, y, aspect, labels, LABEL_GAP):
                return float(x), float(y)
    return None


def scatter(places, segment, fills, labelled, width=7.6, height=5.4):
    """The picture; where the numbers of segments belong on it: (segment, left, top, whether on a phone too), in per cent of
    its sides; and how many users are farther out than it shows and stand at its edge. labelled: the number that each user
    counts for, which may be of a coarser level."""
    low, high = numpy.percentile(places, (FAR_OUT, 100 - FAR_OUT), axis=0)
    slack = 0.15 * (high - low)
    inside = numpy.clip(places, low - slack, high + slack)
    edge = int((inside != places).any(axis=1).sum())
    places = inside
    low, high = places.min(axis=0), places.max(axis=0)
    middle = (low + high) / 2
    unit = max((high[0] - low[0]) / width, (high[1] - low[1]) / height, 1e-12) * 1.06  # of data an inch
    low = middle - unit * numpy.array((width, height)) / 2
    span = unit * numpy.array((width, height))
    figure = pyplot.figure(figsize=(width, height), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(low[0], low[0] + span[0])
    axes.set_ylim(low[1], low[1] + span[1])
    order = numpy.random.default_rng(0).permutation(len(places))  # or the last segment would lie over the others
    axes.scatter(*places[order].T, s=float(numpy.clip(30000 / len(places), 5, 28)), linewidths=0, alpha=0.8,
                 c=[fills[s] for s in segment[order]])
    labels = []
    for one in numpy.unique(labelled):
        left, below = 100 * (numpy.median(places[labelled == one], axis=0) - low) / span
        place = _free_place(float(left), float(100 - below), width / height, labels)
        if place:
            labels.append((int(one), round(place[0], 2), round(place[1], 2)))
    on_phone = []
    for label in labels:
        if _apart(*label[1:], width / height, on_phone, PHONE_GAP):
            on_phone.append(label)
    return _uri(figure, "png"), [(*label, label in on_phone) for label in labels], edge


def curve(values, title, across, mark=False):
    figure, axes = pyplot.subplots(figsize=(4.6, 2.5), layout="constrained")
    axes.plot(numpy.arange(1, len(values) + 1), values, color=PALETTE[0], linewidth=1.6,
              marker="o" if mark or len(values) == 1 else None, markersize=3.5)
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.margins(x=0.02)
    return _uri(figure, "svg")


def count_curve(tried, chosen):
    """Silhouettes by number of segments, of the users and of users without segments."""
    figure, axes = pyplot.subplots(figsize=(4.6, 2.5), layout="constrained")
    few = len(tried["segments"]) <= 24
    axes.plot(tried["segments"], tried["silhouette"], color=PALETTE[0], linewidth=1.6, marker="o" if few else None,
              markersize=3.5, label="users")
    axes.plot(tried["segments"], tried["reference"], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)),
              label="without segments")
    if chosen > 1:
        axes.axvline(chosen, color=PALETTE[1], linewidth=1.0)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_title("silhouette")
    axes.set_xlabel("segments")
    axes.legend(frameon=False)
    return _uri(figure, "svg")


def _interval(axes, at, value, interval, **style):
    if not numpy.isnan(interval[0]):
        axes.plot(interval, (at, at), color=style["color"], linewidth=2.2, alpha=0.55, solid_capstyle="butt")
    axes.plot([value], [at], "o", markersize=6, **style)


def strategy_dots(strategies):
    """NDCG of every strategy with its interval, for all users (filled) and cold ones (hollow)."""
    names = list(strategies.strategies)
    figure, axes = pyplot.subplots(figsize=(4.6, 0.9 + 0.45 * len(names)), layout="constrained")
    for place, name in enumerate(names):
        found = strategies.strategies[name]
        colour = PALETTE[0] if name == "segment" else MUTED
        for who, up, face in (("overall", 0.13, colour), ("cold", -0.17, "white")):
            ndcg = found[who]["ndcg"]
            _interval(axes, len(names) - 1 - place + up, ndcg["mean"], ndcg["interval"], color=colour,
                      markerfacecolor=face)
    base = strategies.strategies["global"]["overall"]["ndcg"]["mean"]
    axes.axvline(base, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(names)), reversed(names))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.07)
    axes.set_title(f"NDCG@{strategies.k} (●  all users,  ○  cold users)")
    return _uri(figure, "svg")


def segment_gains(gains, fills, numbers):
    """gains: (segment, gain, interval) of NDCG over global popularity, drawn one below the other. numbers: what segments
    are called."""
    figure, axes = pyplot.subplots(figsize=(4.6, 0.9 + 0.24 * len(gains)), layout="constrained")
    for place, (segment, gain, interval) in enumerate(gains):
        _interval(axes, -place, gain, interval, color=fills[segment])
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_yticks([-place for place in range(len(gains))], [str(numbers[segment]) for segment, _, _ in gains])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(-len(gains) + 0.4, 0.6)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.07)
    axes.set_title("NDCG gained over global popularity, by segment")
    return _uri(figure, "svg")
