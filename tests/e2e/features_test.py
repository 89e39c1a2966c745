"""Features as input: every format against numpy's own arrays and scipy's layout, what is refused, and the same bits."""

import io
import itertools
import unittest
import zipfile

import h5py
import numpy

from support import WithDirectory, changed, cohort, datasets, evaluate, shared

USERS = 40
COLUMNS = 10


def dense_of(path, of="user", number=0):
    """The rows of a table in graph.h5 as a dense array."""
    with h5py.File(path, "r") as file:
        group = file[f"features/{of}/{number}"]
        begin = group["row_begin"][...]
        result = numpy.zeros((len(begin) - 1, group["form"][0]), dtype="f4")
        for row in range(len(begin) - 1):
            part = slice(begin[row], begin[row + 1])
            result[row, group["column"][part]] = group["weight"][part]
        return result


def save_npz(path, compressed, **arrays):
    """As scipy.sparse.save_npz writes it, byte for byte but for the order of members."""
    (numpy.savez_compressed if compressed else numpy.savez)(path, **arrays)


def csr(dense):
    indptr = numpy.concatenate([[0], numpy.cumsum((dense != 0).sum(1))])
    return dense[dense != 0], numpy.nonzero(dense)[1].astype("i4"), indptr.astype("i4")


class Features(WithDirectory):
    def setUp(self):
        super().setUp()
        random = numpy.random.default_rng(1)
        edges = [(u, v) for u, v in itertools.combinations(range(USERS), 2)
                 if random.random() < (0.3 if u % 2 == v % 2 else 0.02)]
        edges += [(u, (u + 2) % USERS) for u in range(USERS)]
        self.write("edges.txt", "".join(f"{u} {v}\n" for u, v in edges))
        self.dense = (random.random((USERS, COLUMNS)) < 0.3) * random.integers(1, 9, (USERS, COLUMNS))
        self.dense[:, 0] += (numpy.arange(USERS) % 2) * 5
        self.dense[7] = 0

    def command(self, name, *settings, ranks=1, check=True, threads=1):
        parts = [part for setting in ("input.social=" + str(self.path / "edges.txt"), f"output.directory={self.path}/run",
                                      "segment.count=2", *settings) for part in ("--set", setting)]
        self.write("empty.toml", "")
        return cohort(name, self.path / "empty.toml", "--quiet", *parts, ranks=ranks, check=check, threads=threads)

    def test_arrays_of_every_type_and_order_are_read_as_numpy_reads_them(self):
        cases = list(itertools.product(["?", "i1", "u1", "<i2", ">i4", "<u8", "<f2", ">f4", "<f8"], "CF"))
        files = [str(self.path / f"{number}.npy") for number in range(len(cases))]
        for number, (kind, order) in enumerate(cases):
            with open(files[number], "wb") as file:
                array = numpy.array(self.dense.astype(kind), order=order)
                numpy.lib.format.write_array(file, array, version=(1 + number % 3, 0))
        for ranks in (1, 3):
            self.command("prepare", f"input.user_features={files}", ranks=ranks)
            for number, (kind, order) in enumerate(cases):
                found = dense_of(self.path / "run" / "graph.h5", number=number)
                numpy.testing.assert_array_equal(found, self.dense.astype(kind).astype("f4"), err_msg=f"{kind} {order}")

    def test_sparse_files_are_read_as_scipy_means_them(self):
        data, indices, indptr = csr(self.dense)
        shape = numpy.array(self.dense.shape)
        by_column = csr(self.dense.T)
        row, column = numpy.nonzero(self.dense)
        twice = dict(row=numpy.concatenate([row, row]), col=numpy.concatenate([column, column]),
                     data=numpy.concatenate([data, data]) / 2)
        files = []
        for compressed, (name, arrays) in itertools.product((False, True), {
                "csr": dict(format=numpy.array(b"csr"), indices=indices, indptr=indptr, data=data),
                "csc": dict(format=numpy.array("csc"), indices=by_column[1], indptr=by_column[2], data=by_column[0]),
                "coo": dict(format=numpy.array(b"coo"), **twice)}.items()):
            path = self.path / f"{name}{compressed}.npz"
            save_npz(path, compressed, shape=shape, **arrays)
            files.append(str(path))
        for compressed in (False, True):
            path = self.path / f"dense{compressed}.npz"
            save_npz(path, compressed, x=numpy.asfortranarray(self.dense.astype("f4")))
            files.append(str(path))
        with h5py.File(self.path / "x.h5", "w") as file:
            file.create_dataset("whole", data=self.dense.astype("f8"), chunks=(7, 3), compression="gzip")
            group = file.create_group("matrix/X")
            for name, values in (("data", data), ("indices", indices), ("indptr", indptr)):
                group[name] = values
            group.attrs["shape"] = shape
            group.attrs["encoding-type"] = "csr_matrix"
            file["names"] = [[b"x"]]
        with h5py.File(self.path / "one.h5", "w") as file:
            file["anything"] = self.dense.astype(">i2")
            file["other"] = numpy.arange(3)
        files += [f"{self.path}/x.h5:whole", f"{self.path}/x.h5:matrix/X", f"{self.path}/one.h5"]
        for ranks in (1, 3):
            self.command("prepare", f"input.user_features={files}", ranks=ranks)
            for number, path in enumerate(files):
                found = dense_of(self.path / "run" / "graph.h5", number=number)
                numpy.testing.assert_array_equal(found, self.dense.astype("f4"), err_msg=path)

    def test_rows_go_to_their_ids(self):
        order = numpy.random.default_rng(2).permutation(USERS)[:30]
        numpy.save(self.path / "x.npy", self.dense[order])
        ids = self.write("ids.txt", "".join(f"{u}\n" for u in order))
        expected = numpy.zeros_like(self.dense)
        expected[order] = self.dense[order]
        lines = ["id,a,b"] + [f"{u},{self.dense[u, 0]},{self.dense[u, 1] - 3.5}" for u in order]
        table = self.write("t.csv", "\n".join([*lines, "nobody,1,2", ""]))
        for ranks in (1, 2, 4):
            done = self.command("prepare", f"input.user_features={[str(self.path / 'x.npy'), str(table)]}",
                                f"input.user_feature_ids={ids}", ranks=ranks)
            self.assertIn("1 row passed over", done.stderr)
            numpy.testing.assert_array_equal(dense_of(self.path / "run" / "graph.h5"), expected)
            found = dense_of(self.path / "run" / "graph.h5", number=1)
            numpy.testing.assert_array_equal(found[order], self.dense[order, :2] - numpy.array([0, 3.5]))
            self.assertFalse(numpy.delete(found, order, 0).any())

    def test_what_is_wrong_is_refused_with_one_message(self):
        numpy.save(self.path / "good.npy", self.dense)
        whole = (self.path / "good.npy").read_bytes()
        bad = self.dense.astype("f8")
        packed = io.BytesIO()
        numpy.savez_compressed(packed, x=self.dense)
        damaged = bytearray(packed.getvalue())
        damaged[zipfile.ZipFile(packed).infolist()[0].compress_size] ^= 0xFF  # near the end of its data
        data, indices, indptr = csr(self.dense)
        shape = numpy.array(self.dense.shape)

        def npy(array):
            buffer = io.BytesIO()
            numpy.save(buffer, array)
            return buffer.getvalue()

        def sparse(**arrays):
            buffer = io.BytesIO()
            numpy.savez(buffer, **{"format": numpy.array(b"csr"), "shape": shape, "data": data, "indices": indices,
                                   "indptr": indptr, **arrays})
            return buffer.getvalue()

        def with_value(value):
            array = bad.copy()
            array[31, 4] = value
            return npy(array)

        hdf5 = io.BytesIO()
        with h5py.File(hdf5, "w") as file:
            file["a"] = self.dense
            file["b"] = self.dense
        cases = {
            "fewer.npy": (npy(self.dense[:-1]), "39 rows, but the graph has 40 users"),
            "short.npy": (whole[:-1], "truncated"),
            "long.npy": (whole + b"\0", "not one array alone"),
            "head.npy": (whole[:40], "truncated"),
            "empty.npy": (b"", "empty"),
            "nan.npy": (with_value(numpy.nan), "row 31, column 4 (from 0) is not a number"),
            "inf.npy": (with_value(-numpy.inf), "infinite"),
            "huge.npy": (with_value(1e300), "float32"),
            "object.npy": (npy(self.dense.astype(object)), "Python objects"),
            "text.npy": (npy(self.dense.astype("U3")), "texts"),
            "complex.npy": (npy(self.dense.astype("c8")), "complex"),
            "record.npy": (npy(numpy.zeros(USERS, "i4,f4")), "records"),
            "line.npy": (npy(self.dense[:, 0]), "1 dimension"),
            "cube.npy": (npy(self.dense[:, :, None]), "3 dimensions"),
            "none.npy": (npy(self.dense[:, :0]), "holds nothing"),
            "damaged.npz": (bytes(damaged), "damaged"),
            "cut.npz": (packed.getvalue()[:-30], "damaged"),
            "several.npz": (sparse().replace(b"format.npy", b"formal.npy"), "holds 5 arrays"),
            "columns.npz": (sparse(indices=indices + 1), "beyond its shape"),
            "offsets.npz": (sparse(indptr=indptr[::-1]), "indptr"),
            "lengths.npz": (sparse(data=data[1:]), "another length"),
            "bsr.npz": (sparse(format=numpy.array(b"bsr")), "csr, csc and coo"),
            "two.h5": (hdf5.getvalue(), '2 arrays that may be features ("a", "b")'),
            "cut.h5": (hdf5.getvalue()[:-500], "truncated"),
            "ragged.csv": (b"id,a\n1,2\n3\n", ".csv:3: "),
            "word.csv": (b"id,a\n1,2\n3,red\n", '"red"'),
            "gap.csv": (b"id,a\n1,2\n3,\n", "empty"),
            "nan.csv": (b"id,a\n1,2\n3,nan\n", '"nan"'),
            "twice.csv": (b"id,a\n1,2\n1,3\n", "already has"),
            "strange.csv": (b"id,a\nx,2\ny,3\n", "none of"),
        }
        for number, (name, (content, words)) in enumerate(cases.items()):
            path = self.write(f"case{number}" + name[name.index("."):], content)
            done = self.command("run", f"input.user_features={path}", ranks=1 + number % 4, check=False)
            self.assertEqual(done.returncode, 2, f"{name}: {done.stderr}")
            self.assertIn(str(path), done.stderr)
            self.assertEqual(done.stderr.count(words), 1, f"{name}: {done.stderr}")
            self.assertEqual(done.stdout, "")
            self.assertFalse((self.path / "run" / "graph.h5").exists(), name)
        good = self.path / "good.npy"
        for number, (content, words) in enumerate({"1\n2\n": "has 2 ids", "\n".join(["5"] * USERS): "more than once",
                                                   "\n".join(f"u{u}" for u in range(USERS)): "none of its"}.items()):
            ids = self.write("ids.txt", content)
            done = self.command("run", f"input.user_features={good}", f"input.user_feature_ids={ids}",
                                ranks=2 + number % 2, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)
        for settings, words in {
                (f"input.user_features={good}", "model.encoder=lightgcn"): "needs model.encoder",
                (f"input.item_features={good}",): "items as nodes",
                (f"input.user_feature_ids={good}",): "needs input.user_features",
                (f"input.user_features={good}", 'input.user_feature_scaling=["sum", "none"]'): "2 entries",
                (f"input.user_features={good}:x",): "no HDF5 file",
                (f"input.user_features={self.path}/missing.npy",): "missing.npy"}.items():
            done = self.command("run", *settings, ranks=2, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)

    def test_bits_are_the_same_and_a_checkpoint_is_of_its_features(self):
        numpy.save(self.path / "x.npy", self.dense - 2.0)
        ids = self.write("ids.txt", "".join(f"{u}\n" for u in range(USERS)))
        save_npz(self.path / "bag.npz", True, format=numpy.array(b"csr"), shape=numpy.array(self.dense.shape),
                 **dict(zip(("data", "indices", "indptr"), csr(self.dense))))
        table = self.write("t.csv", "id,age\n" + "".join(f"{u},{u % 7 + 20}\n" for u in range(0, USERS, 3)))
        files = [str(self.path / name) for name in ("x.npy", "bag.npz", "t.csv")]
        settings = [f"input.user_features={files}", f"input.user_feature_ids={ids}", "train.epochs=4", "model.dim=8",
                    "model.widths=16", "partition.shards=8"]
        for encoder, loss, scaling in (("gcn", "auto", "auto"), ("sage", "softmax", "columns")):
            every = [*settings, f"model.encoder={encoder}", f"train.loss={loss}", f"input.user_feature_scaling={scaling}"]
            expected = None
            for ranks, threads in ((1, 1), (1, 2), (2, 1), (3, 2), (4, 1)):
                self.command("run", *every, f"output.directory={self.path}/{encoder}{ranks}{threads}", ranks=ranks,
                             threads=threads)
                found = datasets(self.path / f"{encoder}{ranks}{threads}" / "segments.h5")
                expected = expected or found
                self.assertEqual(found.keys(), expected.keys())
                self.assertEqual([name for name in found if found[name] != expected[name]], [], (ranks, threads))
        result = self.path / "gcn11" / "segments.h5"
        self.assertIn("identical", cohort("rerun", result, ranks=2).stdout)
        # With the defaults again: other features, other scaling, features that prepare has not seen.
        every = [*settings, f"output.directory={self.path}/gcn11"]
        done = self.command("train", *every, "input.user_feature_scaling=none", check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("user_feature_scaling", done.stderr)
        done = self.command("train", *every, f"input.user_features={files[0]}", check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("cohort prepare", done.stderr)
        numpy.save(self.path / "x.npy", self.dense - 2.5)
        done = self.command("run", *every, ranks=2, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("x.npy", done.stderr)
        self.assertEqual(cohort("rerun", result, check=False).returncode, 2)
        with changed(self.path / "gcn11" / "graph.h5") as file:
            file["features/user/1/column"][3] = COLUMNS
        done = self.command("train", *every, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("features/user/1/column", done.stderr)

    def test_items_have_features_too(self):
        random = numpy.random.default_rng(3)
        pairs = {(u, 2 * random.integers(0, 15) + u % 2) for u in range(USERS) for _ in range(6)}
        self.write("pairs.tsv", "user\titem\n" + "".join(f"u{u}\ti{i}\n" for u, i in sorted(pairs)))
        items = sorted({i for _, i in pairs})
        table = self.write("items.tsv", "item\teven\todd\n" + "".join(f"i{i}\t{1 - i % 2}\t{i % 2}\n" for i in items))
        done = self.command("run", "input.social=", f"input.interactions={self.path}/pairs.tsv",
                            f"input.item_features={table}", "train.epochs=30", "model.dim=8", "recommend.strategy=personal",
                            ranks=3)
        self.assertEqual(done.returncode, 0)
        truth = self.write("truth.tsv", "".join(f"u{u}\t{u % 2}\n" for u in range(USERS)))
        self.assertGreater(evaluate(self.path / "run" / "segments.h5", "--truth", truth)["ari"], 0.9)

    def test_cora_by_its_defaults(self):
        edges, labels = shared("cora", "edges.txt"), shared("cora", "labels.txt")
        features = shared("cora", "features.npy")
        self.command("run", f"input.social={edges}", f"input.user_features={features}", "segment.count=7", ranks=2)
        found = evaluate(self.path / "run" / "segments.h5", "--truth", labels)
        self.assertGreater(found["nmi"], 0.57)
        self.assertGreater(found["ari"], 0.53)


if __name__ == "__main__":
    unittest.main(verbosity=2)
