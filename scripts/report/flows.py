"""Flows between the segments of two results as bands between two columns of bars (a Sankey diagram)."""

WIDTH, BAR, LEFT, GAP = 400, 14, 46, 5
HEIGHT = 360
MOST_SEGMENTS = 24  # beyond, bands cannot be told apart


def _bars(order, sizes, scale, x):
    y, bars = 0.0, {}
    for segment in order:
        height = sizes[segment] * scale
        bars[segment] = {"segment": segment, "x": x, "y": y, "height": max(height, 0.5), "users": sizes[segment]}
        y += height + GAP
    return bars


def sankey(comparison):
    """Bars of both results, bands, and the height of the drawing; None where there are too many segments."""
    if max(map(len, comparison.sizes)) > MOST_SEGMENTS:
        return None
    here, there = comparison.here, 1 - comparison.here
    partner = {(second if here else first): (first if here else second) for first, second in comparison.match.items()}
    order = [None, None]
    order[here] = list(range(len(comparison.sizes[here])))
    matched = [partner[segment] for segment in order[here] if segment in partner]
    order[there] = matched + [segment for segment in range(len(comparison.sizes[there])) if segment not in matched]
    scale = HEIGHT / max(map(sum, comparison.sizes))
    bars = [_bars(order[side], comparison.sizes[side], scale, LEFT if side == 0 else WIDTH - LEFT - BAR)
            for side in (0, 1)]
    filled = [dict.fromkeys(order[0], 0.0), dict.fromkeys(order[1], 0.0)]
    rank = [{segment: place for place, segment in enumerate(one)} for one in order]
    bands = []
    for first, second, users in sorted(comparison.flows, key=lambda flow: (rank[0][flow[0]], rank[1][flow[1]])):
        height = users * scale
        ends = []
        for side, segment in ((0, first), (1, second)):
            ends.append(bars[side][segment]["y"] + filled[side][segment])
            filled[side][segment] += height
        left, right, middle = LEFT + BAR, WIDTH - LEFT - BAR, WIDTH / 2
        path = (f"M{left} {ends[0]:.2f}C{middle} {ends[0]:.2f} {middle} {ends[1]:.2f} {right} {ends[1]:.2f}"
                f"V{ends[1] + height:.2f}C{middle} {ends[1] + height:.2f} {middle} {ends[0] + height:.2f} "
                f"{left} {ends[0] + height:.2f}Z")
        bands.append({"path": path, "colour_of": (first, second)[here], "first": first, "second": second,
                      "users": users})
    height = max(bar["y"] + bar["height"] for side in bars for bar in side.values())
    return {"bars": [list(side.values()) for side in bars], "bands": bands, "width": WIDTH, "bar": BAR,
            "height": round(height + 1)}
