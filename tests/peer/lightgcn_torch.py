"""LightGCN, matrix factorisation and popularity in PyTorch: the authors' computation (He et al. 2020,
arXiv:2002.02126), written for itself, to compare Cohort's training with. Prints one JSON object.

usage: PYTHON lightgcn_torch.py --train FILE --test FILE [--layers 3] [--epochs 100] ...

A file holds pairs (user, item, further columns by tabs or spaces) or adjacency lists (user item item ...), gzip or not;
--adjacency says which. Items that the training file does not have count as missed.
"""

import argparse
import gzip
import json
import sys
import time
import warnings

import measures
import numpy
import torch


def read_pairs(path, adjacency):
    users, items = [], []
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as lines:
        for line in lines:
            fields = line.split()
            for item in fields[1:] if adjacency else fields[1:2]:
                users.append(int(fields[0]))
                items.append(int(item))
    return numpy.array(users), numpy.array(items)


class Data:
    """Pairs as numbers 0.. of the users and items of the training file; keys are user * items + item, ascending."""

    def __init__(self, train, test, adjacency):
        user, item = read_pairs(train, adjacency)
        user_ids, user = numpy.unique(user, return_inverse=True)
        item_ids, item = numpy.unique(item, return_inverse=True)
        self.users, self.items = len(user_ids), len(item_ids)
        self.keys = numpy.unique(user * self.items + item)
        self.user, self.item = self.keys // self.items, self.keys % self.items
        self.degree = numpy.bincount(self.user, minlength=self.users)
        self.begin = numpy.concatenate([[0], numpy.cumsum(self.degree)])

        user, item = read_pairs(test, adjacency)
        known = numpy.isin(user, user_ids)
        pairs = numpy.unique(numpy.stack([numpy.searchsorted(user_ids, user[known]), item[known]], axis=1), axis=0)
        self.held_out = [[] for _ in range(self.users)]
        for one, other in pairs:
            place = numpy.searchsorted(item_ids, other)
            found = place < self.items and item_ids[place] == other
            self.held_out[one].append(int(place) if found else -1)

    def has(self, user, item):
        key = user * self.items + item
        place = numpy.minimum(numpy.searchsorted(self.keys, key), len(self.keys) - 1)
        return self.keys[place] == key

    def epoch(self, random):
        """As many triples as there are pairs: a user with replacement, one of its items, an item that is not."""
        user = random.integers(0, self.users, len(self.keys))
        positive = self.item[self.begin[user] + random.integers(0, self.degree[user])]
        negative = random.integers(0, self.items, len(user))
        while (again := numpy.flatnonzero(self.has(user, negative))).size:
            negative[again] = random.integers(0, self.items, again.size)
        return user, positive, negative

    def adjacency(self):
        """D^-1/2 A D^-1/2 over users, then items (eq. 8)."""
        nodes = self.users + self.items
        row = numpy.concatenate([self.user, self.item + self.users])
        column = numpy.concatenate([self.item + self.users, self.user])
        degree = numpy.bincount(row, minlength=nodes)
        value = (1.0 / numpy.sqrt(degree[row].astype(numpy.float64) * degree[column])).astype(numpy.float32)
        order = numpy.lexsort((column, row))
        begin = numpy.concatenate([[0], numpy.cumsum(degree)])
        return torch.sparse_csr_tensor(torch.from_numpy(begin), torch.from_numpy(column[order]),
                                       torch.from_numpy(value[order]), (nodes, nodes))


class Propagation(torch.autograd.Function):
    """A-hat times dense; A-hat is symmetric, so the gradient goes through the same product."""

    @staticmethod
    def forward(context, matrix, dense):
        context.matrix = matrix
        return matrix @ dense

    @staticmethod
    def backward(context, gradient):
        return None, context.matrix @ gradient


def propagated(matrix, embedding, layers):
    """The mean over layers 0..L (eq. 3, 4; alpha = 1 / (L + 1))."""
    layer, total = embedding, embedding
    for _ in range(layers):
        layer = Propagation.apply(matrix, layer)
        total = total + layer
    return total / (layers + 1)


def loss_of(output, embedding, users, triple, decay):
    """Eq. 15, as the authors' code has it: means over the triples, L2 on layer-0 rows."""
    user, positive, negative = triple
    positive, negative = positive + users, negative + users
    difference = (output[user] * (output[negative] - output[positive])).sum(1)
    squares = sum((embedding[rows] ** 2).sum() for rows in (user, positive, negative))
    return torch.nn.functional.softplus(difference).mean() + decay * 0.5 * squares / len(user)


def measured(data, score_rows, k):
    """Recall@k and NDCG@k, means over users with held-out items; items of the training file are not ranked."""
    recall, ndcg = [], []
    tested = [user for user in range(data.users) if data.held_out[user]]
    for first in range(0, len(tested), 1024):
        block = numpy.array(tested[first:first + 1024])
        scores = score_rows(block).copy()
        for place, user in enumerate(block):
            scores[place, data.item[data.begin[user]:data.begin[user + 1]]] = -numpy.inf
        of_block = measures.recall_and_ndcg(measures.best_items(scores, k), [data.held_out[user] for user in block], k)
        recall.append(of_block[0])
        ndcg.append(of_block[1])
    return float(numpy.concatenate(recall).mean()), float(numpy.concatenate(ndcg).mean())


def train(data, options):
    torch.manual_seed(options.seed)
    random = numpy.random.default_rng(options.seed)
    matrix = data.adjacency() if options.layers else None
    embedding = torch.nn.Parameter(0.1 * torch.randn(data.users + data.items, options.dim))
    optimiser = torch.optim.Adam([embedding], lr=options.learning_rate)
    losses, seconds, curve = [], [], []

    def evaluate():
        with torch.no_grad():
            output = propagated(matrix, embedding, options.layers)
            users, items = output[:data.users], output[data.users:]
            return measured(data, lambda rows: (users[torch.from_numpy(rows)] @ items.T).numpy(), options.k)

    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        triples = [torch.from_numpy(numbers) for numbers in data.epoch(random)]
        total, steps = 0.0, 0
        for first in range(0, len(triples[0]), options.batch):
            step = [numbers[first:first + options.batch] for numbers in triples]
            output = propagated(matrix, embedding, options.layers)
            loss = loss_of(output, embedding, data.users, step, options.decay)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total, steps = total + loss.item(), steps + 1
        seconds.append(time.perf_counter() - start)
        losses.append(total / steps)
        if options.evaluate_every and epoch % options.evaluate_every == 0 and epoch < options.epochs:
            curve.append([epoch, *evaluate()])
            print(f"epoch {epoch}: loss {losses[-1]:.5f}, recall {curve[-1][1]:.4f}", file=sys.stderr, flush=True)
    curve.append([options.epochs, *evaluate()])
    return {"loss": losses, "seconds_per_epoch": float(numpy.median(seconds)), "train_seconds": sum(seconds),
            "curve": curve, "recall": curve[-1][1], "ndcg": curve[-1][2]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--adjacency", action="store_true")
    parser.add_argument("--popularity", action="store_true", help="no training: items by their number of users")
    parser.add_argument("--layers", type=int, default=3, help="0: matrix factorisation")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--decay", type=float, default=1e-4)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--evaluate-every", type=int, default=0, help="epochs; 0: at the end only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-k", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore", message="Sparse")  # beta state, invariants unchecked: known

    data = Data(options.train, options.test, options.adjacency)
    result = {"torch": torch.__version__, "users": data.users, "items": data.items, "pairs": len(data.keys)}
    if options.popularity:
        count = numpy.bincount(data.item, minlength=data.items).astype(numpy.float32)
        result["recall"], result["ndcg"] = measured(data, lambda rows: numpy.tile(count, (len(rows), 1)), options.k)
    else:
        result |= train(data, options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
