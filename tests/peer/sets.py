"""The sets of data that peers are compared on: a configuration of Cohort each, and the true classes where there are any.
Paths are below --data; data/README.md there says where each comes from."""

# name: [input] keys; paths are those that end in a name of a file.
INTERACTIONS = {
    "LastFM, LightGCN's split": {"interactions": "lastfm/lightgcn-split/data1.txt.gz",
                                 "test": "lastfm/lightgcn-split/test1.txt", "format": "tsv",
                                 "columns": {"user": 0, "item": 1}},
    "LastFM, all": {"interactions": "lastfm/lastfm.inter.gz", "holdout": 0.2},
    "MovieLens 100k": {"interactions": "ml-100k/ml-100k.inter.gz", "holdout": 0.2},
    "FilmTrust": {"interactions": "filmtrust/ratings.txt.gz", "format": "ssv",
                  "columns": {"user": 0, "item": 1, "weight": 2}, "holdout": 0.2},
    "citeulike": {"interactions": "citeulike/train.tsv.gz", "test": "citeulike/test.tsv.gz", "format": "tsv",
                  "columns": {"user": 0, "item": 1}},
    "amazon-beauty": {"interactions": "amazon-beauty/train.tsv.gz", "test": "amazon-beauty/test.tsv.gz",
                      "format": "tsv", "columns": {"user": 0, "item": 1}},
    "Gowalla": {"interactions": "gowalla/train.txt.gz", "test": "gowalla/test.txt.gz", "format": "lightgcn"},
}

# name: social edges, number of segments, true classes.
COMMUNITIES = {
    "football": ("football/edges.txt", 12, "football/labels.txt"),
    "Cora": ("cora/edges.txt", 7, "cora/labels.txt"),
    "Pubmed": ("pubmed/edges.txt.gz", 3, "pubmed/labels.txt"),
    "LastFM's friendships": ("lastfm/lastfm.net", 8, None),
}


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(of)}" for key, of in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def built_in(data):
    """name -> (text of the configuration, file of true classes or None, path that must be there)."""
    found = {}
    for name, keys in INTERACTIONS.items():
        keys = {key: str(data / of) if key in ("interactions", "test") else of for key, of in keys.items()}
        text = "[input]\n" + "".join(f"{key} = {toml(of)}\n" for key, of in keys.items())
        found[name] = (text, None, keys["interactions"])
    for name, (edges, count, labels) in COMMUNITIES.items():
        text = f'[input]\nsocial = "{data / edges}"\n[segment]\ncount = {count}\n'
        found[name] = (text, labels and data / labels, data / edges)
    return found
