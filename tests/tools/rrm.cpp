// rnx-rrm as its users call it: a few rows from teachers to tables, gone on with after kills, and
// what it refuses.
#include "support.hpp"

#include <vector>

using namespace tools_test;

namespace {

const std::string rrm = RNX_RRM;

/// The rows of one teacher, in the folder "rrm".
struct Pipeline : Folder {
  std::string call_of(const std::string& verb, const std::string& rows,
                      const std::string& out = "rrm") const {
    std::string command = rrm + " " + verb + " --preset smoke --threads 1 --progress off --out " +
                          (path / out).string();
    std::size_t at = 0;
    while (at < rows.size()) {
      const std::size_t end = std::min(rows.find(' ', at), rows.size());
      command += " --only " + rows.substr(at, end - at);
      at = end + 1;
    }
    return command;
  }
  fs::path run(const std::string& row) const { return path / "rrm" / (row + "-s0"); }
  nlohmann::json json(const fs::path& file) const { return nlohmann::json::parse(read(file)); }
};

const std::string few = "sat-l2-vgg11 fast-vgg11 robust-vgg11 rdt-vgg11 kd-vgg11 rrm-vgg11";

/// Accuracies that a report would say, and what the claims make of them.
void check_claims(const Pipeline& f) {
  const auto claims_of = [&](double student, double teacher) {
    for (const auto& [row, accuracy] : {std::pair{"rrm-vgg11", student}, {"fast-vgg11", teacher}}) {
      auto report = f.json(f.run(row) / "attacks/report.json");
      report["models"][0]["attacks"][3]["acc"] = accuracy;
      std::ofstream(f.run(row) / "attacks/report.json") << report.dump();
    }
    REQUIRE(call(f, f.call_of("table", "")).code == 0);
    return read(f / "rrm/report.md");
  };
  const auto has = [](const std::string& page, const std::string& text) {
    CHECK_MESSAGE(page.find("- " + text + "\n") != page.npos, page);
  };
  const std::string good = claims_of(0.7, 0.8);
  has(good, "RRM over its teacher, Linf: 0.875, of one seed (at least 0.85: holds)");
  has(good, "RRM less KD, points: not measured");
  has(claims_of(0.6, 0.8),
      "RRM over its teacher, Linf: 0.750, of one seed (at least 0.85: **does not hold**)");
  has(claims_of(0.1, 0),
      "RRM over its teacher, Linf: nan, of one seed (at least 0.85: **does not hold**)");
}

/// A second seed's students of robustified images, which are those of its own teacher.
void check_two_seeds(const Pipeline& f) {
  const auto second = [&](const std::string& row, const char* fingerprint) {
    const fs::path run = f.path / "rrm" / (row + "-s1");
    fs::copy(f.run(row), run, fs::copy_options::recursive);
    auto json = nlohmann::ordered_json::parse(read(run / "run.json"));
    json["configuration"]["seed"] = 1;
    json["configuration"]["fingerprint"] = fingerprint;
    std::ofstream(run / "run.json") << json.dump();
    return run;
  };
  const std::string table = f.call_of("table", "") + " --seeds 0 --seeds 1";
  second("rdt-vgg11", "of its teacher's images");
  CHECK(call(f, table).code == 0);
  const fs::path other = second("kd-vgg11", "of other images");
  refused(call(f, table), 2, "differ in \"fingerprint\"");
  fs::remove_all(other);
}

/// What is finished stays; what was measured of other weights is measured again.
void check_again(const Pipeline& f, const nlohmann::json& curve) {
  const std::string weights = read(f.run("rrm-vgg11") / "model.safetensors");
  const auto written = fs::last_write_time(f.run("rrm-vgg11") / "model.safetensors");
  auto of = f.json(f.run("fast-vgg11") / "measured.json");  // of other weights: measured again
  of["weights"] = "other";
  std::ofstream(f.run("fast-vgg11") / "measured.json") << of.dump();
  std::ofstream(f.run("fast-vgg11") / "curve.json") << "{}";
  auto run = nlohmann::ordered_json::parse(read(f.run("rrm-vgg11") / "run.json"));
  run["options"]["device"] = "cuda";  // a program for the CPU goes on with what a GPU trained
  std::ofstream(f.run("rrm-vgg11") / "run.json") << run.dump();
  REQUIRE(call(f, f.call_of("all", few)).code == 0);
  CHECK(f.json(f.run("fast-vgg11") / "curve.json") == curve);
  CHECK(fs::last_write_time(f.run("rrm-vgg11") / "model.safetensors") == written);
  CHECK(read(f.run("rrm-vgg11") / "model.safetensors") == weights);
}

}  // namespace

TEST_CASE(
    "rnx-rrm: from teachers to tables; what is finished stays, what does not belong is refused") {
  const Pipeline f;
  const Result r = call(f, f.call_of("all", few));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  CHECK(f.json(f.run("rrm-vgg11") / "attacks/report.json")["models"][0]["attacks"].size() == 5);
  const auto kd = f.json(f.run("kd-vgg11") / "attacks/report.json")["models"][0]["attacks"];
  REQUIRE(kd.size() == 6);
  CHECK(f.json(f.run("kd-vgg11") / "attacks/report.json")["models"][0]["checks"].size() == 15);
  CHECK(kd[5]["name"].get<std::string>().ends_with("temperature=30"));
  CHECK(kd[5]["norm"] == "l2");  // of its teacher
  const auto curve = f.json(f.run("fast-vgg11") / "curve.json");
  CHECK(curve["right"].size() == 7);
  CHECK(std::is_sorted(curve["right"].rbegin(), curve["right"].rend()));

  const auto time = f.json(f.run("rrm-vgg11") / "time.json");
  CHECK(time["passes"]["student_forwards"] == 1.0);
  CHECK(time["passes"]["attack_forwards"] == 0.0);
  CHECK(time["passes"]["teacher_forwards"] == 1.0);
  CHECK(time["bytes"].size() == 2);  // one trace that trains, one that does not
  CHECK(time["with_teacher_minutes"] > time["total_minutes"]);
  const auto sat = f.json(f.run("sat-l2-vgg11") / "time.json");
  CHECK(sat["passes"]["attack_backwards"] == 7.0);
  const auto fast = f.json(f.run("fast-vgg11") / "time.json");  // attacked in train mode
  CHECK(fast["passes"] == sat["passes"]);
  CHECK(fast["predicted_macs"] == sat["predicted_macs"]);

  const std::string table = read(f / "rrm/tables/table-1.md");
  CHECK(table.find("49.30") != table.npos);
  CHECK(table.find("missing") != table.npos);  // rows that were left out
  CHECK(table.find("rrm-vgg11: model resnet50_rrm \u2192 resnet20_rrm") != table.npos);
  for (const char* file : {"report.md", "figures/figure-2.svg", "figures/figure-5.svg",
                           "tables/table-8-imagenet.html", "tables/table-10.csv"})
    CHECK_MESSAGE(fs::exists(f.path / "rrm" / file), file);

  check_again(f, curve);
  check_claims(f);
  check_two_seeds(f);

  // tables of rows that saw other images
  auto report = f.json(f.run("kd-vgg11") / "attacks/report.json");
  report["settings"]["fingerprint"] = "other";
  std::ofstream(f.run("kd-vgg11") / "attacks/report.json") << report.dump();
  refused(call(f, f.call_of("table", "")), 2, "/settings/fingerprint differs");

  // images of a teacher that is another one now
  fs::copy_file(f.run("fast-vgg11") / "model.safetensors",
                f.run("sat-l2-vgg11") / "model.safetensors", fs::copy_options::overwrite_existing);
  refused(call(f, f.call_of("baseline", "rdt-vgg11")), 2, "a teacher with checksum");
  refused(call(f, f.call_of("robustify", "robust-vgg11")), 2,
          "it holds the robustified images of something else: teacher");
}

TEST_CASE("rnx-rrm: a teacher that was trained elsewhere") {
  const Pipeline f;
  REQUIRE(call(f, f.call_of("teacher", "fast-vgg11")).code == 0);
  const auto curve = f.json(f.run("fast-vgg11") / "curve.json");
  const std::string from =
      " --teacher fast-vgg11=" + (f.run("fast-vgg11") / "model.safetensors").string();
  const Result taken = call(f, f.call_of("teacher", "fast-vgg11", "taken") + from);
  REQUIRE_MESSAGE(taken.code == 0, taken.text);
  CHECK(f.json(f.path / "taken/fast-vgg11-s0/curve.json") == curve);
  CHECK(!fs::exists(f.path / "taken/fast-vgg11-s0/run.json"));
  refused(call(f, f.call_of("teacher", "fast-vgg11") + from), 2, "holds a run of fast-vgg11");
  refused(call(f, f.call_of("teacher", "fast-vgg11") + " --teacher kd-vgg11=x"), 2,
          "'kd-vgg11' is no teacher of preset smoke");
}

TEST_CASE("rnx-rrm: what is killed at ten moments ends with the bits of a whole run") {
  const Pipeline f;
  REQUIRE(call(f, f.call_of("teacher", "sat-l2-vgg11", "whole")).code == 0);
  fs::copy(f.path / "whole", f.path / "killed", fs::copy_options::recursive);
  const std::string robust[] = {"robust-vgg11-s0/train_images.npy",
                                "robust-vgg11-s0/train_labels.npy",
                                "robust-vgg11-s0/test_images.npy"},
                    student[] = {"rrm-l2-vgg11-s0/model.safetensors",
                                 "rrm-l2-vgg11-s0/attacks/per_sample.csv",
                                 "rrm-l2-vgg11-s0/curve.json"};
  const auto check = [&](const std::string& verb, const std::string& row, const auto& files) {
    REQUIRE(call(f, f.call_of(verb, row, "whole")).code == 0);
    for (int k = 1; k <= 10; ++k) signalled(f.call_of(verb, row, "killed"), SIGKILL, 60 * k);
    const Result r = call(f, f.call_of(verb, row, "killed"));
    REQUIRE_MESSAGE(r.code == 0, r.text);
    for (const std::string& file : files) {
      CAPTURE(file);
      CHECK(read(f.path / "whole" / file) == read(f.path / "killed" / file));
    }
  };
  check("robustify", "robust-vgg11", robust);
  check("transfer", "rrm-l2-vgg11", student);
}

TEST_CASE("rnx-rrm: a teacher that does not fit, an option that is none") {
  const TrainedTiny f;  // a dnn: 512 features
  const std::string learn =
      train + tiny + " --objective rrm --teacher " + f.weights() + " --out " + (f / "none") + " ";
  refused(call(f, learn + "--model resnet20"), 2,
          "dnn has 512 penultimate features, the student resnet20 has 64");
  refused(call(f, learn + "--lambda -1"), 2, "--lambda: expected a finite number of at least 0");
  refused(call(f, learn + "--match euclid"), 2, "--match: 'euclid' is unknown");
  refused(call(f, learn + "--attack-commits 1"), 2, "--attack-commits");
  CHECK(!fs::exists(f / "none"));
  const Result r = call(f, train + tiny + " --objective rrm --match l2 --model resnet20_rrm" +
                               " --teacher " + f.weights() + " --out " + (f / "run_l2"));
  CHECK_MESSAGE(r.code == 0, r.text);
  refused(call(f, rrm + " all --preset smok"), 2, "smoke, small, paper");
  refused(call(f, rrm + " all --preset smoke --only rrm-vgg1"), 2, "did you mean rrm-vgg11?");
  refused(call(f, rrm + " all --preset small --out " + (f / "none")), 2, "--data");
  refused(call(f, rrm), 2, "expected a verb");
}

TEST_CASE("rnx-train: super-classes that overlap, are missing or are none") {
  const Folder f;
  for (const char* split : {"train", "test"})
    for (const char* name : {"a", "b", "c"}) {
      fs::create_directories(f.path / "data" / split / name);
      std::ofstream(f.path / "data" / split / name / "0.png") << "no picture";
    }
  const std::string learn = train + " --dataset image-folder --data " + (f / "data") + " --out " +
                            (f / "none") + " --groups ";
  const auto groups = [&](const std::string& text) {
    std::ofstream(f / "groups.toml") << text;
    return call(f, learn + (f / "groups.toml"));
  };
  refused(groups("first = [0, 1]\nsecond = [1, 2]\n"), 2, "found 1 in first and in second");
  refused(groups("first = [0, 3]\n"), 2, "expected classes below 3, found 3 in group first");
  refused(groups("first = [0, \"b\"]\n"), 3, "expected lists of numbers");
  refused(call(f, learn + "restricted-imagenet"), 2, "expected classes below 3");
  refused(groups("first = [0]\nsecond = [1, 2]\n"), 3, "0.png");
  refused(call(f, train + " --dataset synthetic --groups restricted-imagenet"), 2,
          "--groups: it is for image-folder");
  CHECK(!fs::exists(f / "none"));
}
