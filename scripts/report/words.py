"""What names and describes a segment, for the cards, the tree and the legend alike."""

import re

LEAST_LIFT = 1.2  # of an item or a category that names a segment, as `cohort profile` has it


def is_number(row):
    return "attribute" in row and not re.search(r"[^\d.\-]", row["name"])


def spoken(attribute):
    return attribute.replace("_", " ")


def quoted(name):
    """A name that holds what separates names, in quotes, as descriptions have it."""
    return '"' + name.replace('"', '""') + '"' if re.search("[,;]", name) else name


def named(categories, items, tested):
    """A few words for a segment: its categories of highest lift, else its items; only confirmed ones if tested."""
    def worth(row):
        return row["lift"] >= LEAST_LIFT and (row.get("marking") or not tested)

    rows = [row for row in categories if worth(row)] or [row for row in items if worth(row)]
    # Words before numbers, which say nothing without their attribute.
    rows = sorted(rows, key=lambda row: (is_number(row), -row["lift"]))[:2]
    said, attribute = [], None
    for row in rows:
        other = is_number(row) and row["attribute"] != attribute
        attribute = row.get("attribute")
        before = spoken(attribute) + " " if other else ""
        said.append(quoted((before if said else before[:1].upper() + before[1:]) + row["name"]))
    return ", ".join(said)


def described(description, attributes):
    """A description without the size, which stands beside it, and with attributes as they are spoken."""
    words = re.sub(r"^[\d,]+ users?(?: \([\d.]+ % of [^)]*\))?[,;]? ?", "", description)
    for attribute in sorted(attributes, key=lambda one: (-len(one), one)):  # before those that they begin with
        words = words.replace(attribute, spoken(attribute))
    return words[:1].upper() + words[1:]
