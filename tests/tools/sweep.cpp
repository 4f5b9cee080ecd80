// Sweeps: rows that are killed and go on, shards that are merged, tables of them, and what is
// refused.
#include "support.hpp"

#include <vector>

using namespace tools_test;

namespace {

/// Six rows of a moment each, in a file.
struct Sweep : Folder {
  const std::vector<std::string> names{"natural", "pgd", "fgsm", "free", "trades", "slow"};
  const std::string file = *this / "sweep.toml";
  Sweep() {
    std::ofstream(file) << R"(# six rows
dataset = "synthetic"
model = "dnn"
n-train = 16
n-test = 8
epochs = 2
batch = 8
eval-n = 0
eval-pgd-n = 0
final-pgd-n = 2
attack-steps = 1
save-every-steps = 1
progress = "plain"
[[rows]]
name = "natural"
[[rows]]
name = "pgd"
objective = "pgd"
[[rows]]
name = "fgsm"
objective = "fgsm-rs"
epochs = 3
[[rows]]
name = "free"
objective = "free"
replays = 2
[[rows]]
name = "trades"
objective = "trades"
seed = 3
[[rows]]
name = "slow"
lr = 0.01
)";
  }
  std::string command(const std::string& out, const std::string& more = "") const {
    return train + " sweep " + file + " --out " + (*this / out) + more;
  }
  std::string table(const std::string& folder, const std::string& form) const {
    const Result r = call(*this, train + " table " + (*this / folder) + " --format " + form);
    CHECK_MESSAGE(r.code == 0, r.text);
    return r.text;
  }
  /// All that the rows of two folders must have alike.
  void check_equal(const std::string& a, const std::string& b) const {
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(result_of(path / a / name) == result_of(path / b / name));
      CHECK(read(path / a / name / "eval/final/per_sample.csv") ==
            read(path / b / name / "eval/final/per_sample.csv"));
    }
    CHECK(read(path / a / "sweep.json") == read(path / b / "sweep.json"));
    CHECK(table(a, "csv") == table(b, "csv"));
  }
};

}  // namespace

TEST_CASE("a sweep that is killed twice ends as one that was not; two shards merged do, too") {
  const Sweep s;
  const Result whole = call(s, s.command("whole"));
  REQUIRE_MESSAGE(whole.code == 0, whole.text);
  for (const char* moment : {"killed/pgd/ckpt/LATEST", "killed/trades/ckpt/LATEST"}) {
    const Process p(s, s.command("killed"));
    p.wait_for(s / moment);
    ::kill(p.id, SIGKILL);
    CHECK(WIFSIGNALED(p.wait()));
  }
  CHECK(!fs::exists(s / "killed/slow/eval"));
  const Result end = call(s, s.command("killed"));
  CHECK_MESSAGE(end.code == 0, end.text);
  CHECK(end.text.find("row 1 of 6, natural: finished before") != end.text.npos);
  s.check_equal("killed", "whole");

  REQUIRE(call(s, s.command("first", " --shard 1/2")).code == 0);
  CHECK(!fs::exists(s / "first/pgd"));
  const std::string merge = train + " merge " + (s / "first") + " " + (s / "second") + " --out ";
  refused(call(s, merge + (s / "merged")), 3, "second/sweep.json");
  REQUIRE(call(s, s.command("second", " --shard 2/2 --threads=1")).code == 0);
  const Result merged = call(s, merge + (s / "merged"));
  CHECK_MESSAGE(merged.text.find("6 of 6 rows") != merged.text.npos, merged.text);
  s.check_equal("merged", "whole");
  const Result half = call(s, train + " merge " + (s / "first") + " --out " + (s / "half"));
  CHECK(half.code == 0);
  CHECK(half.text.find("not finished in any of the folders: pgd, free, slow") != half.text.npos);
  REQUIRE(call(s, s.command("half")).code == 0);  // the rows that are missing
  s.check_equal("half", "whole");

  REQUIRE(call(s, s.command("other", " --shard 6/6 --lr=0.1")).code == 0);
  refused(call(s, train + " merge " + (s / "first") + " " + (s / "other") + " --out " + (s / "x")),
          2, "are shards of different sweeps: row natural: lr was 0.2 and is 0.1");
  refused(call(s, s.command("whole", " --lr=0.1")), 2, "holds another sweep: row natural: lr was");
  CHECK(!fs::exists(s / "x"));
}

TEST_CASE("a signal ends a sweep; one row's mistake is no other's") {
  const Sweep s;
  {
    const Process p(s, s.command("signal", " --epochs=1000000"));
    p.wait_for(s / "signal/natural/ckpt/LATEST");
    const Result both = call(s, s.command("signal", " --epochs=1000000 --shard 1/6"));
    refused(both, 2, "row natural: --out: " + (s / "signal/natural") + " is in use");
    ::kill(p.id, SIGTERM);
    CHECK(stopped_cleanly(p.wait()));
    CHECK(!fs::exists(s / "signal/pgd"));
  }
  std::ofstream(s / "diverges.json")
      << R"({"dataset": "synthetic", "model": "dnn", "n-train": 16, "n-test": 8, "batch": 8,
             "epochs": 2, "schedule": "constant", "eval-n": 0, "eval-pgd-n": 0, "final-pgd-n": 0,
             "rows": [{"name": "a", "lr": 1e30}, {"name": "b"}]})";
  const std::string sweep = train + " sweep " + (s / "diverges.json") + " --out " + (s / "d");
  refused(call(s, sweep), 2, "row a: ");
  CHECK(fs::exists(s / "d/b/eval/final/report.json"));
  const Result table = call(s, train + " table " + (s / "d"));
  CHECK_MESSAGE(table.text.find("missing") != table.text.npos, table.text);
}

TEST_CASE("a table of runs, as Markdown, CSV and HTML") {
  const Sweep s;
  REQUIRE(call(s, s.command("a", " --shard 1/6")).code == 0);
  const std::string markdown = s.table("a", "md");
  CHECK_MESSAGE(markdown.find("| natural |") != markdown.npos, markdown);
  CHECK(markdown.find("pgd:steps=20") != markdown.npos);
  CHECK(markdown.find("| slow | missing") != markdown.npos);
  CHECK(s.table("a", "csv").starts_with("group,label,runs,clean [%],"));
  CHECK(s.table("a", "html").starts_with("<!"));
  CHECK(s.table("a/natural", "csv") != s.table("a", "csv"));
  CHECK(call(s, train + " table " + (s / "a") + " --out " + (s / "t.md")).code == 0);
  CHECK(read(s / "t.md") == markdown);
  refused(call(s, train + " table " + (s / "a") + " --format pdf"), 2, "known are md, csv, html");
  refused(call(s, train + " table " + (s / "data")), 3, "expected a run, a sweep or a folder");
  refused(call(s, train + " tabel"), 2, "did you mean table?");
}

TEST_CASE("a sweep that cannot be right is refused before its first row") {
  const Sweep s;
  for (const char* shard : {"3/2", "0/2", "2", "/", "a/b", "-1/2", "1/0"})
    refused(call(s, s.command("out", std::string(" --shard ") + shard)), 2,
            "--shard: expected I/N with I from 1 to N, found '" + std::string(shard) + "'");
  refused(call(s, s.command("out", " --shard 7/8")), 2, "7/8 gets none of the 6 rows");
  refused(call(s, s.command("out", " --lr=many")), 2,
          "row natural: --lr: expected a finite number");
  refused(call(s, s.command("out", " --epohcs=3")), 2, "did you mean --epochs?");
  refused(call(s, s.command("out", " 3")), 2, "unexpected argument '3'");
  refused(call(s, train + " sweep"), 2, "expected a FILE of rows");
  const auto with = [&](const std::string& text) {
    std::ofstream(s / "rows.toml") << "dataset = \"synthetic\"\nmodel = \"dnn\"\n" << text;
    return call(s, train + " sweep " + (s / "rows.toml") + " --out " + (s / "out"));
  };
  refused(with(""), 2, "expected a list `rows` of at least one row");
  refused(with("[[rows]]\nlr = 1"), 2, "expected rows with a name");
  refused(with("[[rows]]\nname = \"../a\""), 2, "expected rows with a name");
  refused(with("[[rows]]\nname = \"a\"\n[[rows]]\nname = \"a\""), 2, "the row a is there twice");
  refused(with("[[rows]]\nname = \"a\"\n[[rows]]\nname = \"b\"\nlr = \"x\""), 2,
          "rows.toml, row b: lr: expected a number");
  refused(with("[[rows]]\nname = \"a\"\nout = \"x\""), 2, "out");
  refused(with("[[rows]]\nname = \"a\"\npreset = \"smal\""), 2, "row a: --preset: 'smal'");
  CHECK(!fs::exists(s / "out"));
}
