"""Nested segments as a tree: what each is, what it adds to the one that it lies in, and the colours that go with it."""

from report import figures
from report.words import described, named

SHOWN_ITEMS = 5        # of what a segment adds, in the tree
SHADES = (0, 0.22, -0.14, 0.4, -0.28, 0.12, 0.3, -0.2)  # of a colour for the segments inside one


def tops_of(levels, number):
    """Of each segment of level `number`, the segment of the first level that it lies in."""
    tops = list(range(levels[number - 1].count))
    for level in reversed(levels[1:number]):
        tops = [int(level.parent[segment]) for segment in tops]
    return tops


def colours(levels):
    """[(fill, colour of text on it)] of every level's segments: those of the first level have colours of their own,
    those inside them shades of it."""
    found = [figures.colours(levels[0].called)]
    for level in levels[1:]:
        tops, seen, of_level = tops_of(levels, level.number), {}, []
        for segment in range(level.count):
            top = tops[segment]
            shade = seen[top] = seen.get(top, -1) + 1
            of_level.append(figures.shaded(found[0][top][0], SHADES[shade % len(SHADES)]))
        found.append(of_level)
    return found


def sentence(words):
    return words if not words or words.endswith(".") else words + "."


def tree(levels):
    """The segments of the first level, each with those inside it under "children", and so on down."""
    colour = colours(levels)
    tested = bool(levels[0].profile and levels[0].profile.tested)
    below = None
    for level in reversed(levels):
        inside = {}
        for segment in range(level.count):
            profile, added = level.profile, level.added
            tables = {name: rows[segment] for name, rows in added.items() if name != "description"} if added else \
                {name: profile.tables[name][segment] for name in ("items", "categories")} if profile else None
            words = added["description"][segment] if added else profile.description[segment] if profile else ""
            parent = 0 if level.parent is None else int(level.parent[segment])
            whole = levels[level.number - 2].size[parent] if level.parent is not None else level.size.sum()
            shown = (tables["categories"], tables["items"]) if tables else ((), ())
            name = named(*shown, tested)
            inside.setdefault(parent, []).append({
                "level": level.number, "number": level.called[segment], "size": int(level.size[segment]),
                "fill": colour[level.number - 1][segment][0], "ink": colour[level.number - 1][segment][1],
                "share": level.size[segment] / whole, "width": 100 * level.size[segment] / whole,
                "name": name, "often": "" if name else named(*shown, False),
                "words": sentence(described(words, profile.attributes if profile else ())),
                "items": tables["items"][:SHOWN_ITEMS] if tables else [],
                "recommended": level.recommended[segment][:SHOWN_ITEMS] if level.recommended else [],
                "children": below[segment] if below else []})
        below = inside
    return below[0]
