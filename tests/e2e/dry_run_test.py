"""`prepare --dry-run` and what is said about the input before it is read, as a user sees it, at 1 and 3 ranks."""

import gzip
import unittest

import h5py

from support import WithDirectory, cohort


class DryRun(WithDirectory):
    def test_says_how_the_input_is_read_and_writes_nothing(self):
        lines = "".join(f"{i},c{i % 7},s{i % 11},{i % 3}\n" for i in range(100))
        self.write("orders.csv", "order_id,customer,sku,qty\n" + lines)
        config = self.write("config.toml", '[input]\ninteractions = "orders.csv"\n[output]\ndirectory = "made"\n')
        said = []
        for ranks in (1, 3):
            done = cohort("prepare", "--dry-run", config, ranks=ranks, cwd=self.path)
            line = next(text for text in done.stderr.splitlines() if "orders.csv: csv" in text)
            for part in ("a header", 'user: column 1 ("customer"), e.g. "c0"', 'item: column 2 ("sku"), e.g. "s0"',
                         'weight: column 3 ("qty"), e.g. "0"', "time: none", 'not used: column 0 ("order_id")'):
                self.assertIn(part, line)
            said.append(dict(text.split() for text in done.stdout.splitlines()))
        self.assertEqual(said[0], said[1])
        self.assertEqual({name: int(said[0][name]) for name in ("records", "users", "items", "interactions", "merged_records")},
                         {"records": 100, "users": 7, "items": 11, "interactions": 77, "merged_records": 23})
        self.assertEqual(sorted(path.name for path in self.path.iterdir()), ["config.toml", "orders.csv"])

    def test_tables_of_attributes_are_read_too(self):
        self.write("pairs.csv", "".join(f"u{u},i{i}\n" for u in range(9) for i in range(u % 3, 40, 3)))
        self.write("items.csv", '"item\nid",title,genre,price,code\n' +
                   "".join(f'i{i},"Title, {i}",g{i % 2},{i}.5,c{i}\n' for i in range(40)))
        config = self.write("config.toml", '[input]\ninteractions = "pairs.csv"\nitem_attributes = "items.csv"\n')
        for ranks in (1, 3):
            said = cohort("prepare", "--dry-run", config, ranks=ranks, cwd=self.path).stderr
            for part in ('items.csv: csv, columns by comma; a header; item: column 0 ("item\\nid"), e.g. "i0"; attributes: '
                         'column 1 ("title"), e.g. "Title, 0", column 2 ("genre"), e.g. "g0", column 3 ("price")',
                         'numbers: "price"; categories: "genre"; name: "title"; not used: "code"'):
                self.assertIn(part, said)
        self.write("items.csv", "item,genre\nx1,a\n")
        done = cohort("prepare", "--dry-run", config, cwd=self.path, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("none of its ids", done.stderr)

    def test_one_record_below_a_header_without_a_line_end(self):
        for name, text in (("one.csv", "user,item\nu1,i1"), ("one.tsv", "user\titem\nu1\ti1"), ("mac.csv", "user,item\ru1,i1")):
            self.write(name, text)
            config = self.write("config.toml", f'[input]\ninteractions = "{name}"\n')
            for ranks in (1, 3):
                done = cohort("prepare", "--dry-run", config, ranks=ranks, cwd=self.path)
                counts = dict(line.split() for line in done.stdout.splitlines())
                self.assertEqual((counts["records"], counts["users"], counts["items"]), ("1", "1", "1"), name)

    def test_header_is_a_setting_of_the_graph(self):
        self.write("w.csv", "holder,thing\na,x\nb,y\na,y\n")
        config = self.write("config.toml", '[input]\ninteractions = "w.csv"\n[output]\ndirectory = "run"\n')
        done = cohort("prepare", config, cwd=self.path)
        self.assertIn("input.header = true", done.stderr)
        with h5py.File(self.path / "run" / "graph.h5") as file:
            self.assertIn('header = "auto"', file.attrs["configuration"])
        refused = cohort("partition", config, "--set", "input.header=true", cwd=self.path, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("cohort prepare", refused.stderr)
        cohort("prepare", config, "--set", "input.header=true", cwd=self.path)
        with h5py.File(self.path / "run" / "graph.h5") as file:
            self.assertEqual(list(file["users/id"].asstr()[...]), ["a", "b"])
            self.assertIn("header = true", file.attrs["configuration"])
        wrong = cohort("prepare", config, "--set", "input.header=maybe", cwd=self.path, check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn('true, false or "auto"', wrong.stderr)

    def test_other_formats_are_named_in_every_file(self):
        self.write("good.tsv", "".join(f"u{u}\ti{i}\n" for u in range(5) for i in range(5)))
        packed = self.path / "packed.csv"
        packed.write_bytes(b"PK\x03\x04" + bytes(40))
        for text in ('interactions = "packed.csv"', 'interactions = "good.tsv"\nsocial = "packed.csv"',
                     'interactions = "good.tsv"\ntest = "packed.csv"'):
            config = self.write("config.toml", f'[input]\n{text}\n[output]\ndirectory = "out"\n')
            for ranks in (1, 3):
                done = cohort("prepare", config, ranks=ranks, cwd=self.path, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stderr.count("is a zip archive"), 1, done.stderr)
        configuration = self.path / "packed.toml"
        configuration.write_bytes(gzip.compress(b"[input]\n"))
        done = cohort("prepare", configuration, cwd=self.path, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("gzip", done.stderr)


if __name__ == "__main__":
    unittest.main()
