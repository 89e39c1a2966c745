"""JSON arrays of objects: the same bits as of JSON lines, however they are broken into lines; what is damaged."""

import gzip
import json
import unittest

from support import WithDirectory, cohort, datasets


class Arrays(WithDirectory):
    def prepared(self, name, settings="", ranks=1, check=True):
        config = self.write("config.toml", f'[input]\ninteractions = "{name}"\n{settings}\n[output]\ndirectory = "{self.path}/out"\n')
        return cohort("prepare", config, ranks=ranks, check=check)

    def test_the_same_as_lines(self):
        objects = [{"user": {"id": f'u{k % 23} "[{{' if k % 5 else "ü\\", "tags": ["a]", "b}"]}, "item_id": f"i{k % 17}",
                    "rating": 1 + k % 4, "timestamp": 1_400_000_000 + k} for k in range(3000)]
        self.write("log.jsonl", "".join(json.dumps(one) + "\n" for one in objects))
        columns = 'columns = {user = "user.id", item = "item_id", weight = "rating", time = "timestamp"}'
        self.prepared("log.jsonl", columns)
        expected = datasets(self.path / "out" / "graph.h5")
        self.assertGreater(len(expected["interactions/item"][2]), 1000)
        indented = json.dumps(objects, indent=2, ensure_ascii=False)
        for name, content in (("a.json", json.dumps(objects)), ("b.json", indented.replace("\n", "\r\n")),
                              ("c.json.gz", gzip.compress(indented.encode())), ("d.json", indented.encode("utf-16")),
                              ("e.json", b"\xef\xbb\xbf\n [\n" + ",\n".join(map(json.dumps, objects)).encode() + b"\n]\n\n")):
            self.write(name, content)
            self.prepared(name, columns, ranks=3 if name < "c" else 1)
            self.assertEqual(datasets(self.path / "out" / "graph.h5"), expected, name)

    def test_tables_of_attributes(self):
        self.write("log.json", json.dumps([{"user": f"u{k % 9}", "item": f"i{k % 7}"} for k in range(63)]))
        self.write("items.json", json.dumps([{"item": f"i{k}", "genre": "ab"[k % 2]} for k in range(7)], indent=1))
        config = self.write("config.toml", '[input]\ninteractions = "log.json"\nitem_attributes = "items.json"\n')
        said = cohort("prepare", "--dry-run", config, ranks=2).stderr
        self.assertIn("7 of 7 items", said)

    def test_damaged(self):
        whole = json.dumps([{"user": f"u{k}", "item": f"i{k % 3}"} for k in range(9)])
        for content, words in ((whole[:-1], "ends early"), (whole[:-9], "ends early"), (whole + "[]", "followed by something"),
                               (whole.replace("}, {", "} {", 1), "something other than objects"),
                               (whole.replace("}, {", "}, 7, {", 1), "something other than objects"),
                               ("[1, 2]", "JSON (an array)"), ('[["u", "i"], ["v", "i"]]', "JSON (an array)"),
                               (whole.replace('"item": "i1"', '"item": ', 1), "log.json:2: ")):
            self.write("log.json", content)
            for ranks in (1, 3) if words == "ends early" else (1,):
                done = self.prepared("log.json", ranks=ranks, check=False)
                self.assertEqual((done.returncode, done.stderr.count("error: ")), (2, 1), done.stderr)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
